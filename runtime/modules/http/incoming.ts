/** The class IncomingMessage of node:http: a request that a server received, or a response that a client received. */
import { nextTick } from "../../loop.ts";
import { finished } from "../stream.ts";
import { Body } from "./body.ts";
import { type HttpSocket, isSocketFailure, resumeReading } from "./socket.ts";

type Headers = Record<string, string | string[] | undefined>;

/** The fields that have one value. If a message repeats such a field, the first value is kept. Other values are joined. */
const SINGLE_FIELDS: ReadonlySet<string> = new Set(
  (
    "age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since " +
    "last-modified location max-forwards proxy-authorization referer retry-after server user-agent"
  ).split(" "),
);

/** @param rawHeaders names and values alternately, such as "Accept", "text/html", "Accept", "text/plain" */
function joinHeaders(rawHeaders: readonly string[]): Headers {
  const headers: Headers = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const value = rawHeaders[index + 1] ?? "";
    const earlierValue = headers[name];
    if (name === "set-cookie") {
      if (Array.isArray(earlierValue)) earlierValue.push(value);
      else headers[name] = [value];
    } else if (typeof earlierValue !== "string") headers[name] = value;
    else if (!SINGLE_FIELDS.has(name)) {
      const separator = name === "cookie" ? "; " : ", ";
      headers[name] = `${earlierValue}${separator}${value}`;
    }
  }
  return headers;
}

export class IncomingMessage extends Body {
  socket: HttpSocket | null;
  httpVersion = "";
  httpVersionMajor = 0;
  httpVersionMinor = 0;
  /** The whole message was received. */
  complete = false;
  rawHeaders: string[] = [];
  rawTrailers: string[] = [];
  /** True if the message was destroyed before it was complete. */
  aborted = false;
  /** True if another protocol follows the head. */
  upgrade = false;
  /** The target of a request. */
  url = "";
  method: string | undefined;
  /** The status of a response. */
  statusCode: number | undefined;
  statusMessage: string | undefined;
  /** The request to which a response belongs. */
  req: object | undefined;
  /** True if the rest of the body is read and dropped. */
  isDumped = false;
  /** True if the parser must ignore what follows, because it does not belong to this message. */
  skipsData = false;
  #wasReadCalled = false;
  #headers: Headers | undefined;

  constructor(socket: HttpSocket) {
    super(socket.readableHighWaterMark);
    this.socket = socket;
  }

  get connection(): HttpSocket | null {
    return this.socket;
  }

  /** The fields, joined when they are first used, because most listeners read few fields or none. */
  get headers(): Headers {
    return (this.#headers ??= joinHeaders(this.rawHeaders));
  }

  /** Returns true if the message has a field. Is faster than a look at `headers`. @param name the name in lower case */
  hasField(name: string): boolean {
    const { rawHeaders } = this;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const rawName = rawHeaders[index];
      if (rawName?.length === name.length && rawName.toLowerCase() === name) return true;
    }
    return false;
  }

  setTimeout(ms: number, callback?: () => void): this {
    if (callback !== undefined) this.on("timeout", callback);
    this.socket?.setTimeout?.(ms);
    return this;
  }

  override _read(): void {
    this.#wasReadCalled = true;
    if (this.socket?.readable === true) resumeReading(this.socket);
  }

  /** Destroys the connection, too, if the message is not complete, because its next bytes would be taken for a new message. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit("aborted");
    }
    // An error for which there is no listener is not reported, as in Node.js.
    const finish = (failure: Error | null): void => callback(this.listenerCount("error") === 0 ? null : failure);
    const { socket } = this;
    if (socket === null || socket.destroyed || !this.aborted) return nextTick(() => finish(error));
    socket.destroy(error ?? undefined);
    const stopListening = finished(socket, (socketError) => {
      stopListening();
      nextTick(() => finish(isSocketFailure(socketError) ? socketError : error));
    });
  }

  /** Returns true if a listener has read from the body, or is about to. */
  hasReader(): boolean {
    return this.#wasReadCalled || this.isResuming;
  }

  protected override isComplete(): boolean {
    return this.complete;
  }

  /** Reads the rest of the body, and drops it, so that the next message on the connection can be read. */
  dump(): void {
    if (this.isDumped) return;
    this.isDumped = true;
    this.removeAllListeners("data");
    this.resume();
  }
}
