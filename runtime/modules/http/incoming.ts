import { nextTick } from "../../loop.ts";
import { finished } from "../stream.ts";
import { Body } from "./body.ts";
import { type HttpSocket, readStart } from "./socket.ts";

type Headers = Record<string, string | string[] | undefined>;

/** Fields that have one value: further ones are dropped. */
const SINGLE: ReadonlySet<string> = new Set(
  (
    "age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since " +
    "last-modified location max-forwards proxy-authorization referer retry-after server user-agent"
  ).split(" "),
);

function joined(raw: readonly string[]): Headers {
  const result: Headers = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const present = result[name];
    if (name === "set-cookie") {
      if (Array.isArray(present)) present.push(value);
      else result[name] = [value];
    } else if (typeof present !== "string") result[name] = value;
    else if (!SINGLE.has(name)) result[name] = `${present}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return result;
}

/** A request that a server received, or an answer that a client received. */
export class IncomingMessage extends Body {
  socket: HttpSocket | null;
  httpVersion = "";
  httpVersionMajor = 0;
  httpVersionMinor = 0;
  /** All of it was received. */
  complete = false;
  rawHeaders: string[] = [];
  rawTrailers: string[] = [];
  aborted = false;
  upgrade = false;
  /** The target of a request. */
  url = "";
  method: string | undefined;
  /** The status of an answer. */
  statusCode: number | undefined;
  statusMessage: string | undefined;
  req: object | undefined;
  isConsumed = false;
  /** The body is read, and dropped. */
  isDumped = false;
  /** Whatever follows belongs to no message. */
  skipsData = false;
  #headers: Headers | undefined;

  constructor(socket: HttpSocket) {
    super(socket.readableHighWaterMark);
    this.socket = socket;
  }

  get connection(): HttpSocket | null {
    return this.socket;
  }

  get headers(): Headers {
    return (this.#headers ??= joined(this.rawHeaders));
  }

  /** Returns true for a field that is there. @param name in lower case */
  hasField(name: string): boolean {
    const { rawHeaders } = this;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const written = rawHeaders[index];
      if (written?.length === name.length && written.toLowerCase() === name) return true;
    }
    return false;
  }

  setTimeout(ms: number, callback?: () => void): this {
    if (callback !== undefined) this.on("timeout", callback);
    this.socket?.setTimeout?.(ms);
    return this;
  }

  override _read(): void {
    this.isConsumed = true;
    if (this.socket?.readable === true) readStart(this.socket);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit("aborted");
    }
    // Without a listener it is no error.
    const done = (problem: Error | null): void => callback(this.listenerCount("error") === 0 ? null : problem);
    const { socket } = this;
    if (socket === null || socket.destroyed || !this.aborted) return nextTick(() => done(error));
    socket.destroy(error ?? undefined);
    const stop = finished(socket, (problem) => {
      stop();
      const isEarly = problem == null || ("code" in problem && problem.code === "ERR_STREAM_PREMATURE_CLOSE");
      nextTick(() => done(isEarly ? error : problem));
    });
  }

  /** Returns true if someone reads the body, or is about to. */
  isRead(): boolean {
    return this.isConsumed || this.isResuming;
  }

  protected override isComplete(): boolean {
    return this.complete;
  }

  /** Reads the rest, and drops it. */
  dump(): void {
    if (this.isDumped) return;
    this.isDumped = true;
    this.removeAllListeners("data");
    this.resume();
  }
}
