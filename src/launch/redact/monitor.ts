import { closeSync, readSync, writeSync } from "node:fs";
import { errorName } from "../../system/errors.ts";
import {
  COLLECT,
  CONTINUE,
  CONTINUED,
  EXITED,
  DETACH,
  KILLED,
  NOT_EXECUTED,
  STARTED,
  STOPPED,
  UNREAD,
} from "../../system/shared.ts";
import { bytesOf } from "../program/program-bytes.ts";
import type { Program } from "../types.ts";
import type { RedactAddon } from "./addon.ts";
import type { End } from "./job.ts";
import { closeQuietly } from "./source.ts";
import { cannotMask } from "./system.ts";
import { readNow, type Watcher } from "./watcher.ts";

const RECORD_BYTES = 8;
const CHUNK_BYTES = 8192;
const SIGKILL = 9;

/** What the monitor reports of the program. */
export interface MonitorEvents {
  /** It was stopped by a signal, by its number. */
  readonly stopped: (signal: number) => void;
  readonly continued: () => void;
  /** The answer to `collect`: what was typed and the program has not read. */
  readonly unread: (keys: Uint8Array) => void;
  /** Called once. */
  readonly ended: (end: End) => void;
}

export type Monitor = Exclude<ReturnType<typeof startMonitored>, string>;

/**
 * Starts the program below the monitor; see monitor.h. The event loop does not turn meanwhile: a signal that comes then finds the program running.
 *
 * @param found the settings of the real terminal
 * @returns the code of the system's error if it was not started
 * @throws SophiaError (system-limit or redact-pipe, 125) if there can be no monitor
 */
export function startMonitored(
  addon: RedactAddon,
  watcher: Watcher,
  program: Program,
  { slave, real, inherited }: Readonly<{ slave: number; real: number; inherited: readonly number[] }>,
  found: Uint8Array,
  isForeground: boolean,
  events: MonitorEvents,
) {
  const descriptors = Int32Array.from(inherited);
  const strings = bytesOf(program);
  const count = program.argv.length;
  const started = addon.startMonitor(strings, count, slave, real, found, Number(isForeground), descriptors);
  if (typeof started === "number") throw cannotMask(errorName(started));
  const [channel, monitor] = started;
  const first = Buffer.alloc(RECORD_BYTES);
  const [kind, pid] = readSync(channel, first) === RECORD_BYTES ? valuesOf(first) : [0, 0];
  if (kind !== STARTED) {
    closeSync(channel);
    return kind === NOT_EXECUTED ? errorName(pid) : "EIO";
  }
  let isOpen = true;
  let hasEnded = false;
  const end = (how: End): void => {
    if (!hasEnded) events.ended(how);
    hasEnded = true;
  };
  const take = (record: number, value: number, keys: Uint8Array): void => {
    if (record === UNREAD) events.unread(keys);
    if (record === CONTINUED) events.continued();
    if (record === STOPPED) events.stopped(value);
    if (record === EXITED) end({ status: value });
    if (record === KILLED) end({ signal: value });
  };
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let waiting: Buffer = Buffer.alloc(0);
  const read = (): void => {
    const length = readNow(channel, buffer);
    if (length === 0) {
      // The monitor was killed, as only SIGKILL can.
      end({ signal: SIGKILL });
      isOpen = false;
      watcher.forget(channel);
      return closeQuietly(channel);
    }
    if (length !== "nothing") waiting = takeRecords(Buffer.concat([waiting, buffer.subarray(0, length)]), take);
    watcher.whenReadable(channel, read);
  };
  watcher.whenReadable(channel, read);
  const tell = (what: number, detail: number): void => {
    if (!isOpen) return;
    try {
      writeSync(channel, new Uint8Array(Int32Array.of(what, detail).buffer));
    } catch {
      // The monitor was killed.
    }
  };
  return {
    /** The program's. */
    pid,
    /** Puts the program into the foreground of its terminal or the background, and continues it. */
    continue: (isInFront: boolean): void => tell(CONTINUE, Number(isInFront)),
    /** Asks for what the program has not read when nothing is typed any more. @param isLast its terminal is closed, too */
    collect: (isLast: boolean): void => tell(COLLECT, Number(isLast)),
    /** The program's terminal is about to go, and the program must not be hung up. */
    forsake: (): void => tell(DETACH, 0),
    /** The program has ended and the real terminal is in order: nothing has to be put back if this process ends now. */
    dismiss: (): void => void (isOpen && addon.dismiss(channel, monitor)),
  };
}

/** @returns the beginning of a record that is not whole yet */
function takeRecords(bytes: Buffer, take: (record: number, value: number, keys: Uint8Array) => void): Buffer {
  let rest = bytes;
  while (rest.length >= RECORD_BYTES) {
    const [record, value] = valuesOf(rest);
    const length = RECORD_BYTES + (record === UNREAD ? value : 0);
    if (rest.length < length) break;
    take(record, value, rest.subarray(RECORD_BYTES, length));
    rest = rest.subarray(length);
  }
  return rest;
}

function valuesOf(record: Buffer): readonly [number, number] {
  return [record.readInt32LE(0), record.readInt32LE(4)];
}
