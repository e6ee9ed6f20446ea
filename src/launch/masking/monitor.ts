/**
 * The launcher's side of the monitor in a session of the program's own (native/masking/monitor.inc): starts it, sends it requests, and
 * reports what it says about the program.
 *
 * Both sides send records of eight bytes over a socket: two numbers of four bytes, the kind and a value (native/shared.ts). Behind the
 * record UNREAD follow the keys that the program has not read; the value is their number.
 */
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
  /** The program was stopped. @param signal its number */
  readonly stopped: (signal: number) => void;
  /** The program was continued at the request of this process. */
  readonly continued: () => void;
  /** The answer to `collect`: the keys that the program has not read. */
  readonly unread: (keys: Uint8Array) => void;
  /** The program, or the monitor, has ended. It is called once. */
  readonly ended: (end: End) => void;
}

export type Monitor = Exclude<ReturnType<typeof startMonitored>, string>;

/**
 * Starts the monitor, which starts the program. It waits for that, so that a later signal finds the program running.
 *
 * @returns the code of the system's error if the program was not executed
 * @throws SophiaError (system-limit or redact-pipe, 125) if the monitor cannot be started
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
  const argumentCount = program.argv.length;
  const started = addon.startMonitor(
    strings,
    argumentCount,
    slave,
    real,
    formerSettings,
    Number(isForeground),
    descriptors,
  );
  if (typeof started === "number") throw cannotMask(errorName(started));
  const [channel, monitor] = started;
  const firstRecord = Buffer.alloc(RECORD_BYTES);
  const isWhole = readSync(channel, firstRecord) === RECORD_BYTES;
  const [kind, pid] = isWhole ? parseRecord(firstRecord) : [0, 0];
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
  let received: Buffer = Buffer.alloc(0);
  const handleRecords = (): void => {
    while (received.length >= RECORD_BYTES) {
      const [record, value] = parseRecord(received);
      const length = RECORD_BYTES + (record === records.UNREAD ? value : 0);
      if (received.length < length) return;
      const keys = received.subarray(RECORD_BYTES, length);
      received = received.subarray(length);
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
      // The monitor has ended before the launcher, which only SIGKILL does.
      end({ signal: SIGKILL });
      isOpen = false;
      watcher.forget(channel);
      return closeQuietly(channel);
    }
    if (length !== "nothing") {
      received = Buffer.concat([received, buffer.subarray(0, length)]);
      handleRecords();
    }
    watcher.whenReadable(channel, read);
  };
  watcher.whenReadable(channel, read);
  const request = (record: number, value: number): void => {
    if (!isOpen) return;
    try {
      writeSync(channel, new Uint8Array(Int32Array.of(record, value).buffer));
    } catch {
      // The monitor was killed, which `read` will see.
    }
  };
  return {
    pid,
    /** Puts the program into the foreground of its terminal or the background, and continues it. */
    continue: (isInFront: boolean): void => request(records.CONTINUE, Number(isInFront)),
    /** Asks for the keys that the program has not read. @param isLast the monitor also closes its side of the terminal */
    collect: (isLast: boolean): void => request(records.COLLECT, Number(isLast)),
    /** Keeps the program from being hung up when its terminal is closed. */
    detach: (): void => request(records.DETACH, 0),
    dismiss: (): void => void (isOpen && addon.dismissMonitor(channel, monitor)),
  };
}

function parseRecord(bytes: Buffer): readonly [kind: number, value: number] {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4)];
}
