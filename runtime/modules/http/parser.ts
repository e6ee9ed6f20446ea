/**
 * Reads messages of HTTP/1 from the bytes of a connection, for the clients and servers of node:http. The parsing itself is done
 * by llhttp, through runtime/native/http-parser.c, which calls a method of `HttpParser` for each part of a message:
 *
 *   POST /v1/tokens HTTP/1.1     `begin`, when the first byte has come
 *   Host: api.example.com
 *   Content-Length: 2
 *                                `head`, with the first line and the fields
 *   {}                           `body`, for each piece that has come; `end`, after the last one
 */
import { runCallback } from "../../loop.ts";
import { natives } from "../../native.ts";
import { IncomingMessage } from "./incoming.ts";
import { type HttpSocket, pauseReading, resumeReading } from "./socket.ts";

/** The methods that C calls by their names. */
interface MessageReader {
  begin(): void;
  /**
   * @param namesAndValues the names and values of the fields, alternately
   * @param methodOrStatus the method of a request, or the status of a response
   * @param urlOrReason the URL of a request, or the reason phrase of a response
   * @param isUpgrade true if another protocol may follow the head
   * @param keepsAlive false if the sender will end the connection
   */
  head(
    major: number,
    minor: number,
    namesAndValues: string[],
    methodOrStatus: string | number,
    urlOrReason: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): HeadAction;
  /** The piece of the body is between two offsets in the bytes that `execute` got. */
  body(start: number, end: number): void;
  /** @param trailers names and values after a chunked body, alternately */
  end(trailers: string[] | undefined): void;
}

/** The number of bytes that belong to HTTP, or the code and the reason of an error and the number of bytes before it. */
type ParseResult = number | readonly [code: string, reason: string, bytesParsed: number];

interface Natives {
  /** Returns milliseconds of a clock that only advances. */
  readonly now: () => number;
  readonly newHttpParser: (isRequest: boolean, maxHeaderBytes: number) => object;
  readonly executeHttp: (parser: object, bytes: Uint8Array, reader: MessageReader) => ParseResult;
  readonly finishHttp: (parser: object, reader: MessageReader) => ParseResult;
}

const native = natives<Natives>();

// The values that `head` returns, by which C decides how the bytes after the head are parsed.
/** The fields decide whether the message has a body. */
export const READ_BODY = 0;
/** The message has no body, even if its fields announce one. */
export const SKIP_BODY = 1;
/** The bytes after the head belong to another protocol, and are not parsed. */
export const LEAVE_HTTP = 2;
/** Nothing more may be parsed. `execute` returns an error. */
export const STOP_PARSING = 3;
export type HeadAction = typeof READ_BODY | typeof SKIP_BODY | typeof LEAVE_HTTP | typeof STOP_PARSING;

export interface ParseError extends Error {
  readonly code: string;
  readonly reason: string;
  readonly bytesParsed: number;
  readonly rawPacket?: Uint8Array | undefined;
}

// The defaults of Node.js: `--max-http-header-size`, and `maxHeadersCount`.
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADER_FIELDS = 1000;
const NO_BYTES = new Uint8Array();

export interface ParserLimits {
  /** The number of bytes that a head may have; undefined or 0 for the default. */
  readonly maxHeaderSize: number | undefined;
  /** The number of fields of a head that are kept, while further fields are dropped; null for the default, 0 for no limit. */
  readonly maxFields: number | null;
}

type ReceiveMessage = (message: IncomingMessage, keepsAlive: boolean) => HeadAction;

/** The parser of a connection. It reads any number of messages, one after another. */
export class HttpParser implements MessageReader {
  /** The message that is being read, or the last one that was read. */
  currentMessage: IncomingMessage | null = null;
  /**
   * The time by `native.now()` at which the message that is being read began; undefined between messages. The first message
   * begins with the connection, so that a client cannot connect and send nothing for ever.
   */
  messageStartMs: number | undefined = native.now();
  isHeadComplete = false;
  readonly socket: HttpSocket;
  readonly #nativeParser: object;
  readonly #isServer: boolean;
  /** The number of names and values that are kept of a head; 0 for no limit. */
  readonly #maxNamesAndValues: number;
  readonly #receiveMessage: ReceiveMessage;
  /** The bytes that are being parsed. */
  #bytes: Uint8Array = NO_BYTES;

  /** @param receiveMessage is called with each message when its head is complete */
  constructor(
    socket: HttpSocket,
    messageKind: "request" | "response",
    { maxHeaderSize, maxFields }: ParserLimits,
    receiveMessage: ReceiveMessage,
  ) {
    this.socket = socket;
    this.#isServer = messageKind === "request";
    this.#nativeParser = native.newHttpParser(this.#isServer, maxHeaderSize || MAX_HEADER_BYTES);
    this.#maxNamesAndValues = 2 * (maxFields ?? MAX_HEADER_FIELDS);
    this.#receiveMessage = receiveMessage;
  }

  begin(): void {
    this.messageStartMs = native.now();
    this.isHeadComplete = false;
  }

  head(
    major: number,
    minor: number,
    namesAndValues: string[],
    methodOrStatus: string | number,
    urlOrReason: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): HeadAction {
    this.isHeadComplete = true;
    const message = new IncomingMessage(this.socket);
    this.currentMessage = message;
    message.httpVersionMajor = major;
    message.httpVersionMinor = minor;
    message.httpVersion = `${major}.${minor}`;
    message.upgrade = isUpgrade;
    const maxLength = this.#maxNamesAndValues;
    message.rawHeaders = maxLength > 0 ? namesAndValues.slice(0, maxLength) : namesAndValues;
    if (typeof methodOrStatus === "string") {
      message.method = methodOrStatus;
      message.url = urlOrReason;
    } else {
      message.statusCode = methodOrStatus;
      message.statusMessage = urlOrReason;
    }
    return this.#receiveMessage(message, keepsAlive);
  }

  body(start: number, end: number): void {
    const { currentMessage: message } = this;
    if (message === null || message.isDumped || message.skipsData) return;
    const push = (): void => {
      if (!message.push(this.#bytes.subarray(start, end))) pauseReading(this.socket);
    };
    // As in Node.js, the ticks and promises of a server's listeners run before the next request is parsed. They must not run if
    // the bytes come from a stream, which would then give its next bytes, or its end, to the parser while these are parsed.
    if (this.#isServer && this.socket.isConsumed === true) runCallback(push);
    else push();
  }

  end(trailers: string[] | undefined): void {
    this.messageStartMs = undefined;
    const { currentMessage: message } = this;
    if (message !== null && !message.skipsData) {
      message.complete = true;
      if (trailers !== undefined) message.rawTrailers = trailers;
      message.push(null);
    }
    // The reader of the body may have paused the connection, on which the next message comes.
    resumeReading(this.socket);
  }

  /**
   * Parses bytes of the connection.
   *
   * @returns the number of bytes that belong to HTTP: all of them, unless another protocol follows
   */
  execute(bytes: Uint8Array): number | ParseError {
    this.#bytes = bytes;
    const result = native.executeHttp(this.#nativeParser, bytes, this);
    this.#bytes = NO_BYTES;
    return typeof result === "number" ? result : createParseError(result, bytes);
  }

  /**
   * Ends parsing, because the connection has ended or will be used no more. A body without a length is complete then.
   *
   * @returns an error if a message is incomplete
   */
  finish(): ParseError | undefined {
    const result = native.finishHttp(this.#nativeParser, this);
    return typeof result === "number" ? undefined : createParseError(result, undefined);
  }
}

function createParseError(
  [code, reason, bytesParsed]: Exclude<ParseResult, number>,
  rawPacket: Uint8Array | undefined,
): ParseError {
  // As in Node.js, the message gives no reason for a connection that ended too early.
  const message = rawPacket === undefined ? "Parse Error" : `Parse Error: ${reason}`;
  return Object.assign(new Error(message), { bytesParsed, code, reason, rawPacket });
}
