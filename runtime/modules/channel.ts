/**
 * The IPC channel of Node.js between a process and its child: messages over a pair of sockets. A handle (a socket or a server)
 * is a descriptor beside a message of Node.js's own, which the receiver acknowledges; until then the sender holds all others.
 * This runtime can pass a handle on, and do nothing else with it.
 */
import { codedError } from "../errors.ts";
import { POLLIN, POLLOUT, watch, type Watch } from "../loop.ts";
import { natives } from "../native.ts";
import { formats, type Format } from "./channel/format.ts";
import type { Connectable } from "./channel/target.ts";
import type { EventEmitter } from "./events.ts";
import { process } from "./process.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly receiveFromPair: (descriptor: number, to: Uint8Array) => readonly [length: number, passed: number];
  readonly sendToPair: (descriptor: number, bytes: Uint8Array, offset: number, passed: number) => number;
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

const EAGAIN = 11;
const EPIPE = 32;
const CHUNK_BYTES = 65_536;

type Sent = (error: Error | null) => void;

/** `process`, or a ChildProcess. */
export type Target = EventEmitter & Connectable;

interface Outgoing {
  readonly bytes: Uint8Array;
  readonly handle?: PassedHandle | undefined;
  readonly sent?: Sent | undefined;
  readonly isAcknowledgement: boolean;
  offset: number;
}

/** A handle that another process has sent. */
class PassedHandle {
  readonly descriptor: number;
  /** The message around the user's. */
  readonly envelope: unknown;

  constructor(descriptor: number, envelope: unknown) {
    this.descriptor = descriptor;
    this.envelope = envelope;
  }

  close(): void {
    native.close(this.descriptor);
  }
}

class Channel {
  readonly #target: Target;
  readonly #descriptor: number;
  readonly #format: Format;
  readonly #decode: (chunk: Uint8Array) => readonly unknown[];
  readonly #closed: () => void;
  readonly #reading: Watch;
  #writing: Watch | undefined;
  readonly #outgoing: Outgoing[] = [];
  /** Messages that came before there was a listener. */
  readonly #early: (readonly [message: unknown, handle: PassedHandle | undefined])[] = [];
  /** A handle was sent and is not acknowledged. */
  #isHeld = false;
  /** It closes when all is written. */
  #isEnding = false;
  #passed = -1;

  constructor(target: Target, descriptor: number, format: Format, closed: () => void) {
    this.#target = target;
    this.#descriptor = descriptor;
    this.#format = format;
    this.#decode = format.decoder();
    this.#closed = closed;
    this.#reading = watch(descriptor, POLLIN, () => this.#read());
  }

  ref(): void {
    this.#reading.ref();
  }

  unref(): void {
    this.#reading.unref();
  }

  send(message: unknown, handle: PassedHandle | undefined, sent: Sent | undefined): void {
    const whole = handle === undefined ? message : this.#format.around(message, handle.envelope);
    this.#outgoing.push({ bytes: this.#format.encode(whole), handle, sent, isAcknowledgement: false, offset: 0 });
    this.#write();
  }

  deliverEarly(): void {
    if (this.#target.listenerCount("message") === 0) return;
    for (const [message, handle] of this.#early.splice(0)) this.#target.emit("message", message, handle);
  }

  end(): void {
    this.#isEnding = true;
    this.#write();
  }

  #close(): void {
    this.#reading.close();
    this.#writing?.close();
    this.#target.channel = undefined;
    process.nextTick(() => {
      native.close(this.#descriptor);
      this.#target.emit("disconnect");
      this.#closed();
    });
  }

  #read(): void {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const [length, passed] = native.receiveFromPair(this.#descriptor, chunk);
    if (length === -EAGAIN) return;
    if (length <= 0) {
      this.#target.connected = false;
      for (const { sent } of this.#outgoing.splice(0)) this.#report(length === 0 ? -EPIPE : length, sent);
      return this.#close();
    }
    if (passed !== -1) this.#passed = passed;
    for (const message of this.#decode(chunk.subarray(0, length))) this.#receive(message);
  }

  #receive(message: unknown): void {
    const kind = this.#format.kindOf(message);
    if (kind === "user") return this.#emit(message, undefined);
    if (kind === "acknowledged") {
      this.#isHeld = false;
      return this.#write();
    }
    if (kind !== "handle" || this.#passed === -1) return;
    const handle = new PassedHandle(this.#passed, message);
    this.#passed = -1;
    const bytes = this.#format.encode(this.#format.acknowledgement);
    // In front of the messages that wait, but not in the middle of one.
    const place = (this.#outgoing[0]?.offset ?? 0) > 0 ? 1 : 0;
    this.#outgoing.splice(place, 0, { bytes, isAcknowledgement: true, offset: 0 });
    this.#write();
    this.#emit(this.#format.contentOf(message), handle);
  }

  #emit(message: unknown, handle: PassedHandle | undefined): void {
    process.nextTick(() => {
      if (this.#target.listenerCount("message") > 0) this.#target.emit("message", message, handle);
      else this.#early.push([message, handle]);
    });
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const passed = next.offset === 0 ? (next.handle?.descriptor ?? -1) : -1;
      const put = native.sendToPair(this.#descriptor, next.bytes, next.offset, passed);
      if (put === -EAGAIN) return this.#writeLater();
      next.offset += Math.max(put, 0);
      if (put >= 0 && next.offset < next.bytes.length) continue;
      this.#outgoing.shift();
      this.#isHeld ||= put >= 0 && next.handle !== undefined;
      this.#report(Math.min(put, 0), next.sent);
    }
    if (this.#isEnding && this.#outgoing.length === 0) this.#close();
  }

  #next(): Outgoing | undefined {
    const [first] = this.#outgoing;
    return this.#isHeld && first?.isAcknowledgement !== true ? undefined : first;
  }

  #writeLater(): void {
    this.#writing = watch(this.#descriptor, POLLOUT, () => {
      this.#writing?.close();
      this.#writing = undefined;
      this.#write();
    });
  }

  #report(error: number, sent: Sent | undefined): void {
    const problem = error === 0 ? null : native.systemError(-error, "write");
    if (sent !== undefined) process.nextTick(() => sent(problem));
    else if (problem !== null) process.nextTick(() => this.#target.emit("error", problem));
  }
}

/** Makes a channel over one of a pair of sockets. @param closed called when it is closed, after `disconnect` */
export function openChannel(
  target: Target,
  descriptor: number,
  serialization: "json" | "advanced",
  closed: () => void,
): Channel {
  const channel = new Channel(target, descriptor, formats[serialization], closed);
  target.connected = true;
  target.channel = channel;
  target.on("newListener", () => process.nextTick(() => channel.deliverEarly()));
  target.send = (message, handle, options, callback) => {
    const sent = [handle, options, callback].find((one): one is Sent => typeof one === "function");
    if (message === undefined)
      throw codedError("ERR_MISSING_ARGS", 'The "message" argument must be specified', TypeError);
    const hasHandle = handle !== undefined && handle !== null && handle !== sent;
    if (hasHandle && !(handle instanceof PassedHandle)) {
      throw codedError("ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent", TypeError);
    }
    if (target.connected) {
      channel.send(message, handle instanceof PassedHandle ? handle : undefined, sent);
      return true;
    }
    const error = codedError("ERR_IPC_CHANNEL_CLOSED", "Channel closed");
    process.nextTick(() => (sent === undefined ? target.emit("error", error) : sent(error)));
    return false;
  };
  target.disconnect = () => {
    if (!target.connected) {
      const error = codedError("ERR_IPC_DISCONNECTED", "IPC channel is already disconnected");
      return void target.emit("error", error);
    }
    target.connected = false;
    channel.end();
  };
  return channel;
}

/** Opens this process's channel to its parent, which keeps the event loop alive while there is a listener. */
export function openParentChannel(descriptor: number, serialization: "json" | "advanced"): void {
  const channel = openChannel(process, descriptor, serialization, () => {});
  const isHeard = (): boolean => process.listenerCount("message") + process.listenerCount("disconnect") > 0;
  const refer = (): void => (isHeard() ? channel.ref() : channel.unref());
  channel.unref();
  process.on("newListener", (name: unknown) => {
    if (name === "message" || name === "disconnect") channel.ref();
  });
  process.on("removeListener", refer);
}
