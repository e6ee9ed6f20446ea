/** Messages of HTTP/1 from bytes: llhttp, by runtime/native/http-parser.c. */
import { runCallback } from "../../loop.ts";
import { natives } from "../../native.ts";
import { IncomingMessage } from "./incoming.ts";
import { type HttpSocket, readStart, readStop } from "./socket.ts";

/** Called for the parts of a message. */
interface Reader {
  /** A message begins. */
  begin(): void;
  head(
    major: number,
    minor: number,
    fields: string[],
    method: string | number,
    line: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): Action;
  /** Gets a part of the bytes that are being read. */
  body(start: number, end: number): void;
  end(trailers: string[] | undefined): void;
}
type Result = number | readonly [code: string, reason: string, read: number];

interface Natives {
  /** Milliseconds of a clock that only advances. */
  readonly now: () => number;
  readonly newHttpParser: (isRequest: boolean, headerBytes: number) => object;
  readonly executeHttp: (parser: object, bytes: Uint8Array, reader: Reader) => Result;
  readonly finishHttp: (parser: object, reader: Reader) => Result;
}

const native = natives<Natives>();

/** 1: there is no body. 2: another protocol follows. 3: nothing is read any more. */
export type Action = 0 | 1 | 2 | 3;

export interface ParseError extends Error {
  readonly code: string;
  readonly reason: string;
  readonly bytesParsed: number;
  readonly rawPacket?: Uint8Array | undefined;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADER_FIELDS = 1000;
const NOTHING = new Uint8Array();

export interface ParserLimits {
  readonly maxHeaderSize: number | undefined;
  /** The number of fields of a head; all if it is 0. */
  readonly maxFields: number | null;
}

export class HttpParser implements Reader {
  incoming: IncomingMessage | null = null;
  /** Since when, in milliseconds, a message is being read, or is waited for on a new connection; undefined between them. */
  started: number | undefined = native.now();
  isHeadComplete = false;
  readonly socket: HttpSocket;
  readonly #parser: object;
  readonly #isRequest: boolean;
  /** The number of texts that a head may have; all if it is 0. */
  readonly #mostTexts: number;
  readonly #onIncoming: (message: IncomingMessage, keepsAlive: boolean) => Action;
  #bytes: Uint8Array = NOTHING;

  constructor(
    socket: HttpSocket,
    isRequest: boolean,
    { maxHeaderSize, maxFields }: ParserLimits,
    onIncoming: (message: IncomingMessage, keepsAlive: boolean) => Action,
  ) {
    this.socket = socket;
    this.#parser = native.newHttpParser(isRequest, maxHeaderSize || MAX_HEADER_BYTES);
    this.#isRequest = isRequest;
    this.#mostTexts = 2 * (maxFields ?? MAX_HEADER_FIELDS);
    this.#onIncoming = onIncoming;
  }

  begin(): void {
    this.started = native.now();
    this.isHeadComplete = false;
  }

  head(
    major: number,
    minor: number,
    fields: string[],
    method: string | number,
    line: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): Action {
    this.isHeadComplete = true;
    const message = new IncomingMessage(this.socket);
    this.incoming = message;
    message.httpVersionMajor = major;
    message.httpVersionMinor = minor;
    message.httpVersion = `${major}.${minor}`;
    message.upgrade = isUpgrade;
    message.rawHeaders = this.#mostTexts > 0 ? fields.slice(0, this.#mostTexts) : fields;
    if (typeof method === "string") {
      message.method = method;
      message.url = line;
    } else {
      message.statusCode = method;
      message.statusMessage = line;
    }
    return this.#onIncoming(message, keepsAlive);
  }

  body(start: number, end: number): void {
    const { incoming } = this;
    if (incoming === null || incoming.isDumped || incoming.skipsData) return;
    const push = (): void => {
      if (!incoming.push(this.#bytes.subarray(start, end))) readStop(this.socket);
    };
    // A server's callbacks run what was put off to the end of this turn, as in Node.js, before the next request. Not those of a
    // stream: its next bytes, or its end, would come while these are read.
    if (this.#isRequest && this.socket.isConsumed === true) runCallback(push);
    else push();
  }

  end(trailers: string[] | undefined): void {
    this.started = undefined;
    const { incoming } = this;
    if (incoming !== null && !incoming.skipsData) {
      incoming.complete = true;
      if (trailers !== undefined) incoming.rawTrailers = trailers;
      incoming.push(null);
    }
    readStart(this.socket);
  }

  /** @returns the number of bytes that belong to HTTP */
  execute(bytes: Uint8Array): number | ParseError {
    this.#bytes = bytes;
    const result = native.executeHttp(this.#parser, bytes, this);
    this.#bytes = NOTHING;
    return typeof result === "number" ? result : errorOf(result, bytes);
  }

  /** The connection has ended. */
  finish(): ParseError | undefined {
    const result = native.finishHttp(this.#parser, this);
    return typeof result === "number" ? undefined : errorOf(result, undefined);
  }
}

function errorOf([code, reason, bytesParsed]: Exclude<Result, number>, rawPacket: Uint8Array | undefined): ParseError {
  const message = rawPacket === undefined ? "Parse Error" : `Parse Error: ${reason}`;
  return Object.assign(new Error(message), { bytesParsed, code, reason, rawPacket });
}
