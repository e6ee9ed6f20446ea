import { closeSync, readSync, writeSync } from "node:fs";
import { errorName } from "../../system/errors.ts";
import {
  COLLECT,
  CONTINUE,
  CONTINUED,
  EXITED,
  FORSAKE,
  KILLED,
  NOT_EXECUTED,
  STARTED,
  STOPPED,
  UNREAD,
} from "../../system/shared.ts";
import { bytesOf } from "../program/program-bytes.ts";
import type { Program } from "../types.ts";
import type { RedactAddon } from "./addon.ts";
import { closeQuietly } from "./source.ts";
import { cannotMask } from "./system.ts";
import { readNow, type Watcher } from "./watcher.ts";

const RECORD_BYTES = 8;
const CHUNK_BYTES = 8192;
const SIGKILL = 9;

/** What becomes of the program. */
export interface MonitorEvents {
  /** It was stopped by a signal, by its number. */
  readonly stopped: (signal: number) => void;
  /** It was continued: its keys may be typed now, if it is in the foreground. */
  readonly continued: () => void;
  /** The answer to `collect`: what was typed and the program has not read. */
  readonly unread: (keys: Uint8Array) => void;
  readonly ended: (end: { readonly status: number } | { readonly signal: number }) => void;
}

/** The process between this one and the program; see monitor.h. */
export interface Monitor {
  /** The program's. */
  readonly pid: number;
  /** Puts the program into the foreground of its terminal or the background, and continues it. */
  readonly continue: (isForeground: boolean) => void;
  /** Nothing is typed any more: asks for what the program has not read. @param isLast its terminal is closed, too */
  readonly collect: (isLast: boolean) => void;
  /** The program's terminal is about to go, and it is not to be hung up. */
  readonly forsake: () => void;
  /** The program has ended and the real terminal is in order: nothing has to be put back if this process ends now. */
  readonly dismiss: () => void;
}

export interface Place {
  readonly slave: number;
  readonly real: number;
  /** The settings of `real`. */
  readonly found: Uint8Array;
  readonly isForeground: boolean;
  readonly inherited: readonly number[];
}

/**
 * Starts the program. The event loop does not turn meanwhile: a signal that comes then finds the program running.
 *
 * @returns the code of the system's error where it was not started
 * @throws SophiaError (system-limit or redact-pipe, 125) if there can be no monitor
 */
export function startMonitored(
  addon: RedactAddon,
  watcher: Watcher,
  program: Program,
  { slave, real, found, isForeground, inherited }: Place,
  events: MonitorEvents,
): Monitor | string {
  const descriptors = Int32Array.from(inherited);
  const strings = bytesOf(program);
  const count = program.argv.length;
  const started = addon.startMonitor(strings, count, slave, real, found, Number(isForeground), descriptors);
  if (typeof started === "number") throw cannotMask(errorName(started));
  const [channel, monitor] = started;
  const first = Buffer.alloc(RECORD_BYTES);
  const [kind, value] = readSync(channel, first) === RECORD_BYTES ? valuesOf(first) : [0, 0];
  if (kind !== STARTED) {
    closeSync(channel);
    return kind === NOT_EXECUTED ? errorName(value) : "EIO";
  }
  let isOpen = true;
  listenTo(channel, watcher, events, () => {
    isOpen = false;
    watcher.forget(channel);
    closeQuietly(channel);
  });
  const tell = (what: number, detail: number): void => {
    if (!isOpen) return;
    try {
      writeSync(channel, new Uint8Array(Int32Array.of(what, detail).buffer));
    } catch {
      // The monitor was killed: nobody is left to be told.
    }
  };
  return {
    pid: value,
    continue: (isInFront) => tell(CONTINUE, Number(isInFront)),
    collect: (isLast) => tell(COLLECT, Number(isLast)),
    forsake: () => tell(FORSAKE, 0),
    dismiss: () => void (isOpen && addon.dismiss(channel, monitor)),
  };
}

function listenTo(channel: number, watcher: Watcher, events: MonitorEvents, close: () => void): void {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let waiting = Buffer.alloc(0);
  let hasEnded = false;
  const end = (how: Parameters<MonitorEvents["ended"]>[0]): void => {
    if (!hasEnded) events.ended(how);
    hasEnded = true;
  };
  const receive = (chunk: Buffer): void => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= RECORD_BYTES) {
      const [kind, value] = valuesOf(waiting);
      const length = RECORD_BYTES + (kind === UNREAD ? value : 0);
      if (waiting.length < length) return;
      if (kind === UNREAD) events.unread(waiting.subarray(RECORD_BYTES, length));
      waiting = waiting.subarray(length);
      if (kind === CONTINUED) events.continued();
      if (kind === STOPPED) events.stopped(value);
      if (kind === EXITED) end({ status: value });
      if (kind === KILLED) end({ signal: value });
    }
  };
  const read = (): void => {
    const length = readNow(channel, buffer);
    // Killed, as only SIGKILL can.
    if (length === 0) {
      end({ signal: SIGKILL });
      return close();
    }
    if (length !== "nothing") receive(buffer.subarray(0, length));
    watcher.whenReadable(channel, read);
  };
  watcher.whenReadable(channel, read);
}

function valuesOf(record: Buffer): readonly [number, number] {
  return [record.readInt32LE(0), record.readInt32LE(4)];
}
