/**
 * Reads messages of HTTP/1 from the bytes of a connection. The parser itself is llhttp, by runtime/native/http-parser.c, which
 * calls the methods `begin`, `head`, `body` and `end` of `HttpParser` for the parts of a message:
 *
 *   POST /v1/tokens HTTP/1.1     begin, when the first byte has come
 *   Host: api.example.com
 *   Content-Length: 2
 *                                head, with the first line and the fields
 *   {}                           body, for each part that has come; end
 */
import { runCallback } from "../../loop.ts";
import { natives } from "../../native.ts";
import { IncomingMessage } from "./incoming.ts";
import { type HttpSocket, readStart, readStop } from "./socket.ts";

/** The methods that C calls by their names. */
interface MessageReader {
  begin(): void;
  /**
   * @param fields names and values in turn
   * @param method that of a request, or the status of a response
   * @param target the URL of a request, or the reason of a response
   */
  head(
    major: number,
    minor: number,
    fields: string[],
    method: string | number,
    target: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): HeadAction;
  /** @param start @param end the part of the bytes that are being parsed */
  body(start: number, end: number): void;
  end(trailers: string[] | undefined): void;
}

/** The number of bytes that belong to HTTP, or what is wrong with them. */
type ParseResult = number | readonly [code: string, reason: string, bytesParsed: number];

interface Natives {
  /** Returns milliseconds of a clock that only advances. */
  readonly now: () => number;
  readonly newHttpParser: (isRequest: boolean, maxHeaderBytes: number) => object;
  readonly executeHttp: (parser: object, bytes: Uint8Array, reader: MessageReader) => ParseResult;
  readonly finishHttp: (parser: object, reader: MessageReader) => ParseResult;
}

const native = natives<Natives>();

/** The numbers by which the code that receives a head tells the parser in C what follows it. */
export const READ_BODY = 0;
/** The message has no body, whatever its fields say. */
export const SKIP_BODY = 1;
/** The bytes behind the head belong to another protocol. */
export const LEAVE_HTTP = 2;
/** The parser reads nothing more, which is an error of the bytes that follow. */
export const STOP_PARSING = 3;
export type HeadAction = typeof READ_BODY | typeof SKIP_BODY | typeof LEAVE_HTTP | typeof STOP_PARSING;

export interface ParseError extends Error {
  readonly code: string;
  readonly reason: string;
  readonly bytesParsed: number;
  readonly rawPacket?: Uint8Array | undefined;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_HEADER_FIELDS = 1000;
const NO_BYTES = new Uint8Array();

export interface ParserLimits {
  /** The number of bytes of a head; undefined or 0 for the default. */
  readonly maxHeaderSize: number | undefined;
  /** The number of fields of a head, of which further ones are dropped; null for the default, 0 for no limit. */
  readonly maxFields: number | null;
}

type OnIncoming = (message: IncomingMessage, keepsAlive: boolean) => HeadAction;

/** The parser of a connection, which reads one message after the other. */
export class HttpParser implements MessageReader {
  /** The message that is being read, or was read last. */
  incoming: IncomingMessage | null = null;
  /**
   * The time by `native.now()` since when a message is being read, or is waited for on a new connection; undefined between
   * messages.
   */
  started: number | undefined = native.now();
  isHeadComplete = false;
  readonly socket: HttpSocket;
  readonly #parser: object;
  readonly #isRequest: boolean;
  /** The number of names and values that a head may have; 0 for no limit. */
  readonly #maxTexts: number;
  readonly #onIncoming: OnIncoming;
  /** The bytes that are being parsed. */
  #bytes: Uint8Array = NO_BYTES;

  /** @param onIncoming gets each message when its head is complete */
  constructor(
    socket: HttpSocket,
    isRequest: boolean,
    { maxHeaderSize, maxFields }: ParserLimits,
    onIncoming: OnIncoming,
  ) {
    this.socket = socket;
    this.#parser = native.newHttpParser(isRequest, maxHeaderSize || MAX_HEADER_BYTES);
    this.#isRequest = isRequest;
    this.#maxTexts = 2 * (maxFields ?? MAX_HEADER_FIELDS);
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
    target: string,
    isUpgrade: boolean,
    keepsAlive: boolean,
  ): HeadAction {
    this.isHeadComplete = true;
    const message = new IncomingMessage(this.socket);
    this.incoming = message;
    message.httpVersionMajor = major;
    message.httpVersionMinor = minor;
    message.httpVersion = `${major}.${minor}`;
    message.upgrade = isUpgrade;
    message.rawHeaders = this.#maxTexts > 0 ? fields.slice(0, this.#maxTexts) : fields;
    if (typeof method === "string") {
      message.method = method;
      message.url = target;
    } else {
      message.statusCode = method;
      message.statusMessage = target;
    }
    return this.#onIncoming(message, keepsAlive);
  }

  body(start: number, end: number): void {
    const { incoming } = this;
    if (incoming === null || incoming.isDumped || incoming.skipsData) return;
    const push = (): void => {
      if (!incoming.push(this.#bytes.subarray(start, end))) readStop(this.socket);
    };
    // As in Node.js, what a server's listeners put off to the end of this turn is run before the next request is parsed. That is
    // impossible if the bytes come from a stream: its next bytes, or its end, would come while these are parsed.
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

  /** Parses bytes of the connection. @returns the number of bytes that belong to HTTP, fewer than all before another protocol */
  execute(bytes: Uint8Array): number | ParseError {
    this.#bytes = bytes;
    const result = native.executeHttp(this.#parser, bytes, this);
    this.#bytes = NO_BYTES;
    return typeof result === "number" ? result : createParseError(result, bytes);
  }

  /** Ends parsing, because the connection has ended. @returns an error if a message is not complete */
  finish(): ParseError | undefined {
    const result = native.finishHttp(this.#parser, this);
    return typeof result === "number" ? undefined : createParseError(result, undefined);
  }
}

function createParseError(
  [code, reason, bytesParsed]: Exclude<ParseResult, number>,
  rawPacket: Uint8Array | undefined,
): ParseError {
  const message = rawPacket === undefined ? "Parse Error" : `Parse Error: ${reason}`;
  return Object.assign(new Error(message), { bytesParsed, code, reason, rawPacket });
}
