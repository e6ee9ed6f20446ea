/**
 * Talks to the monitor (native/masking/monitor.inc). The monitor is a process between this one and a program whose output is masked
 * on a terminal: it is the program's parent, and the leader of the program's session. terminal-session.ts starts the monitor here,
 * sends requests to it, and is called when it reports something about the program.
 *
 * Both sides send records of eight bytes over a socket: the kind, as in native/shared.ts, and a value. Each is a 32-bit integer in
 * little-endian byte order. After a record UNREAD, as many bytes follow as its value says: the keys that the program has not read.
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
/** Enough for the input buffer of a terminal (4,096 bytes) and several records. */
const CHUNK_BYTES = 8192;
const SIGKILL = 9;

export interface MonitorEvents {
  /** The program was stopped. @param signal the number of the signal */
  readonly stopped: (signal: number) => void;
  /** The program was continued at the request of this process. */
  readonly continued: () => void;
  /** The answer to `collectUnread`: the keys that the program has not read. */
  readonly unread: (keys: Uint8Array) => void;
  /** The program, or the monitor, has ended. Called once. */
  readonly ended: (end: End) => void;
}

/** The terminals of the program, and the descriptors that it inherits. */
interface ProgramTerminals {
  /** The program's side of the pseudo-terminal. */
  readonly slave: number;
  /** The real terminal. */
  readonly userTerminal: number;
  /** The settings that the monitor restores on the real terminal if this process is killed. */
  readonly formerSettings: Uint8Array;
  /** True if the program starts in the foreground of the pseudo-terminal. */
  readonly isForeground: boolean;
  /** The descriptors that the program inherits besides the standard streams. */
  readonly inherited: readonly number[];
}

/**
 * Starts the monitor, which starts the program. Waits until the program runs, so that a later signal reaches it.
 *
 * @returns the code of the system's error, such as `ENOENT`, if the program was not executed
 * @throws SophiaError (system-limit or redact-pipe, 125) if the monitor cannot be started
 */
export function startMonitored(
  system: System,
  program: Program,
  { slave, userTerminal, formerSettings, isForeground, inherited }: ProgramTerminals,
  events: MonitorEvents,
): Monitor | string {
  const connectionOrError = system.addon.startMonitor(
    bytesOf(program),
    program.argv.length,
    slave,
    userTerminal,
    formerSettings,
    Number(isForeground),
    Int32Array.from(inherited),
  );
  if (typeof connectionOrError === "number") throw cannotMask(errorName(connectionOrError));
  const [channel, monitorPid] = connectionOrError;
  const firstRecord = readFirstRecord(channel);
  if (firstRecord?.kind === records.STARTED) {
    return new Monitor(system, { channel, monitorPid, programPid: firstRecord.value }, events);
  }
  closeSync(channel);
  // Without a complete record, the monitor has ended before it could report anything.
  return firstRecord?.kind === records.NOT_EXECUTED ? errorName(firstRecord.value) : "EIO";
}

interface MonitorConnection {
  /** The socket to the monitor. */
  readonly channel: number;
  readonly monitorPid: number;
  readonly programPid: number;
}

/** A monitor whose program runs. */
export class Monitor {
  /** The PID of the program. */
  readonly pid: number;
  readonly #system: System;
  readonly #channel: number;
  readonly #monitorPid: number;
  readonly #events: MonitorEvents;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  /** The received bytes that do not make a complete record yet. */
  #received: Buffer = Buffer.alloc(0);
  #isChannelOpen = true;
  #hasReportedEnd = false;

  constructor(system: System, { channel, monitorPid, programPid }: MonitorConnection, events: MonitorEvents) {
    this.pid = programPid;
    this.#system = system;
    this.#channel = channel;
    this.#monitorPid = monitorPid;
    this.#events = events;
    this.#awaitRecords();
  }

  /** Puts the program into the foreground of its terminal or the background, and continues it. */
  continue({ isForeground }: { readonly isForeground: boolean }): void {
    this.#request(records.CONTINUE, Number(isForeground));
  }

  /** Asks for the keys that the program has not read. `closesTerminal`: the monitor also closes its side of the pseudo-terminal. */
  collectUnread({ closesTerminal }: { readonly closesTerminal: boolean }): void {
    this.#request(records.COLLECT, Number(closesTerminal));
  }

  /** Lets the pseudo-terminal be closed without a SIGHUP for the program. */
  detach(): void {
    this.#request(records.DETACH, 0);
  }

  /** Ends the monitor, which then leaves the settings of the real terminal as they are. */
  dismiss(): void {
    if (this.#isChannelOpen) this.#system.addon.dismissMonitor(this.#channel, this.#monitorPid);
  }

  #request(kind: number, value: number): void {
    if (!this.#isChannelOpen) return;
    try {
      writeSync(this.#channel, new Uint8Array(Int32Array.of(kind, value).buffer));
    } catch {
      // The monitor was killed. #readRecords will read the end of the channel, and report that.
    }
  }

  #awaitRecords(): void {
    this.#system.watcher.whenReadable(this.#channel, () => this.#readRecords());
  }

  #readRecords(): void {
    const length = readNow(this.#channel, this.#chunk);
    if (length === 0) return this.#closeChannel();
    if (length !== "nothing") {
      this.#received = Buffer.concat([this.#received, this.#chunk.subarray(0, length)]);
      this.#handleReceived();
    }
    this.#awaitRecords();
  }

  /** Handles the end of the channel. */
  #closeChannel(): void {
    // The monitor reports the program's end before its own. Without such a report, only SIGKILL can have ended the monitor.
    this.#reportEnd({ signal: SIGKILL });
    this.#isChannelOpen = false;
    this.#system.watcher.forget(this.#channel);
    closeQuietly(this.#channel);
  }

  /** Handles the complete records among the received bytes. */
  #handleReceived(): void {
    while (this.#received.length >= RECORD_BYTES) {
      const { kind, value } = parseRecord(this.#received);
      const length = RECORD_BYTES + (kind === records.UNREAD ? value : 0);
      if (this.#received.length < length) return;
      const keys = this.#received.subarray(RECORD_BYTES, length);
      this.#received = this.#received.subarray(length);
      if (kind === records.UNREAD) this.#events.unread(keys);
      if (kind === records.CONTINUED) this.#events.continued();
      if (kind === records.STOPPED) this.#events.stopped(value);
      if (kind === records.EXITED) this.#reportEnd({ status: value });
      if (kind === records.KILLED) this.#reportEnd({ signal: value });
    }
  }

  #reportEnd(end: End): void {
    if (!this.#hasReportedEnd) this.#events.ended(end);
    this.#hasReportedEnd = true;
  }
}

interface MonitorRecord {
  readonly kind: number;
  readonly value: number;
}

/** Waits for the monitor's first record. Returns undefined if the monitor has ended before it sent a complete record. */
function readFirstRecord(channel: number): MonitorRecord | undefined {
  const bytes = Buffer.alloc(RECORD_BYTES);
  return readSync(channel, bytes) === RECORD_BYTES ? parseRecord(bytes) : undefined;
}

function parseRecord(bytes: Buffer): MonitorRecord {
  return { kind: bytes.readInt32LE(0), value: bytes.readInt32LE(4) };
}
