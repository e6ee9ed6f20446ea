import { closeSync, readSync, writeSync } from "node:fs";
import { errorName } from "../../system/errors.ts";
import * as records from "../../../native/shared.ts";
import { bytesOf } from "../program/program-strings.ts";
import type { Program } from "../types.ts";
import { closeQuietly, readNow } from "./io.ts";
import type { End } from "./job.ts";
import { cannotMask, type System } from "./masking-system.ts";

const RECORD_BYTES = 8;
const CHUNK_BYTES = 8192;
const SIGKILL = 9;

export interface MonitorEvents {
  /** @param signal the number of the signal that stopped it */
  readonly stopped: (signal: number) => void;
  readonly continued: () => void;
  /** The answer to `collect`: the keys that the program has not read. */
  readonly unread: (keys: Uint8Array) => void;
  /** Called once. */
  readonly ended: (end: End) => void;
}

export type Monitor = Exclude<ReturnType<typeof startMonitored>, string>;

/**
 * Starts the program below the monitor (monitor.inc), in one turn of the event loop: a later signal finds the program running.
 *
 * @returns the code of the system's error if it was not started
 * @throws SophiaError (system-limit or redact-pipe, 125) if there can be no monitor
 */
export function startMonitored(
  { addon, watcher }: System,
  program: Program,
  { slave, real, inherited }: Readonly<{ slave: number; real: number; inherited: readonly number[] }>,
  formerSettings: Uint8Array,
  isForeground: boolean,
  events: MonitorEvents,
) {
  const descriptors = Int32Array.from(inherited);
  const strings = bytesOf(program);
  const count = program.argv.length;
  const started = addon.startMonitor(strings, count, slave, real, formerSettings, Number(isForeground), descriptors);
  if (typeof started === "number") throw cannotMask(errorName(started));
  const [channel, monitor] = started;
  const first = Buffer.alloc(RECORD_BYTES);
  const [kind, pid] = readSync(channel, first) === RECORD_BYTES ? recordOf(first) : [0, 0];
  if (kind !== records.STARTED) {
    closeSync(channel);
    return kind === records.NOT_EXECUTED ? errorName(pid) : "EIO";
  }
  let isOpen = true;
  let hasEnded = false;
  const end = (how: End): void => {
    if (!hasEnded) events.ended(how);
    hasEnded = true;
  };
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let waiting: Buffer = Buffer.alloc(0);
  const takeRecords = (): void => {
    while (waiting.length >= RECORD_BYTES) {
      const [record, value] = recordOf(waiting);
      const length = RECORD_BYTES + (record === records.UNREAD ? value : 0);
      if (waiting.length < length) return;
      const keys = waiting.subarray(RECORD_BYTES, length);
      waiting = waiting.subarray(length);
      if (record === records.UNREAD) events.unread(keys);
      if (record === records.CONTINUED) events.continued();
      if (record === records.STOPPED) events.stopped(value);
      if (record === records.EXITED) end({ status: value });
      if (record === records.KILLED) end({ signal: value });
    }
  };
  const read = (): void => {
    const length = readNow(channel, buffer);
    if (length === 0) {
      // Only SIGKILL ends the monitor before the launcher.
      end({ signal: SIGKILL });
      isOpen = false;
      watcher.forget(channel);
      return closeQuietly(channel);
    }
    if (length !== "nothing") {
      waiting = Buffer.concat([waiting, buffer.subarray(0, length)]);
      takeRecords();
    }
    watcher.whenReadable(channel, read);
  };
  watcher.whenReadable(channel, read);
  const request = (record: number, value: number): void => {
    if (!isOpen) return;
    try {
      writeSync(channel, new Uint8Array(Int32Array.of(record, value).buffer));
    } catch {
      // The monitor was killed.
    }
  };
  return {
    pid,
    /** Puts the program into the foreground of its terminal or the background, and continues it. */
    continue: (isInFront: boolean): void => request(records.CONTINUE, Number(isInFront)),
    /** Asks for the keys that the program has not read. @param isLast closes the monitor's side of the terminal */
    collect: (isLast: boolean): void => request(records.COLLECT, Number(isLast)),
    /** Keeps the program from being hung up when its terminal is closed. */
    detach: (): void => request(records.DETACH, 0),
    dismiss: (): void => void (isOpen && addon.dismissMonitor(channel, monitor)),
  };
}

function recordOf(bytes: Buffer): readonly [kind: number, value: number] {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4)];
}
