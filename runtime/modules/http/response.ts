/**
 * The class ServerResponse of node:http, by which a server answers one request, and STATUS_CODES, the table of the statuses and
 * their reason phrases.
 */
import { codedError } from "../../errors.ts";
import { type HeaderList, isInvalidFieldValue, toPairs } from "./headers.ts";
import type { IncomingMessage } from "./incoming.ts";
import { OutgoingMessage } from "./outgoing.ts";
import { headersSentError } from "./outgoing-head.ts";
import type { HttpSocket } from "./socket.ts";

/** The statuses that Node.js knows, each with its reason phrase. */
const STATUS_LINES =
  "100 Continue|101 Switching Protocols|102 Processing|103 Early Hints|200 OK|201 Created|202 Accepted|" +
  "203 Non-Authoritative Information|204 No Content|205 Reset Content|206 Partial Content|207 Multi-Status|" +
  "208 Already Reported|226 IM Used|300 Multiple Choices|301 Moved Permanently|302 Found|303 See Other|" +
  "304 Not Modified|305 Use Proxy|307 Temporary Redirect|308 Permanent Redirect|400 Bad Request|401 Unauthorized|" +
  "402 Payment Required|403 Forbidden|404 Not Found|405 Method Not Allowed|406 Not Acceptable|" +
  "407 Proxy Authentication Required|408 Request Timeout|409 Conflict|410 Gone|411 Length Required|" +
  "412 Precondition Failed|413 Payload Too Large|414 URI Too Long|415 Unsupported Media Type|" +
  "416 Range Not Satisfiable|417 Expectation Failed|418 I'm a Teapot|421 Misdirected Request|" +
  "422 Unprocessable Entity|423 Locked|424 Failed Dependency|425 Too Early|426 Upgrade Required|" +
  "428 Precondition Required|429 Too Many Requests|431 Request Header Fields Too Large|" +
  "451 Unavailable For Legal Reasons|500 Internal Server Error|501 Not Implemented|502 Bad Gateway|" +
  "503 Service Unavailable|504 Gateway Timeout|505 HTTP Version Not Supported|506 Variant Also Negotiates|" +
  "507 Insufficient Storage|508 Loop Detected|509 Bandwidth Limit Exceeded|510 Not Extended|" +
  "511 Network Authentication Required";

export const STATUS_CODES: Readonly<Record<number, string>> = Object.fromEntries(
  STATUS_LINES.split("|").map((line) => [Number(line.slice(0, 3)), line.slice(4)]),
);

/** A server's response. Nothing is sent before `assignSocket`, because responses are sent in the order of their requests. */
export class ServerResponse extends OutgoingMessage {
  readonly req: IncomingMessage;
  statusCode = 200;
  statusMessage: string | undefined;
  override sendDate = true;
  /** True if the client waits for the status 100 before it sends the body of its request (`Expect: 100-continue`). */
  expectsContinue = false;
  #hasSentContinue = false;

  /** @param onPendingChange gets the number of bytes by which the pending writes have grown; negative when they are sent */
  constructor(request: IncomingMessage, onPendingChange: (bytes: number) => void = () => {}) {
    super();
    this.req = request;
    this.onPendingChange = onPendingChange;
    if (request.method === "HEAD") this.hasBody = false;
    const isBeforeHttp11 =
      request.httpVersionMajor < 1 || (request.httpVersionMajor === 1 && request.httpVersionMinor < 1);
    // A client of HTTP/1.0 reads until the connection ends, unless its field `TE` says that it understands chunks.
    if (isBeforeHttp11) {
      const { te } = request.headers;
      this.useChunkedEncodingByDefault = typeof te === "string" && /(?:^|\W)chunked(?:$|\W)/i.test(te);
      this.shouldKeepAlive = false;
    }
  }

  /** Gives the connection to this response, because all earlier responses are sent. */
  assignSocket(socket: HttpSocket): void {
    socket.httpMessage = this;
    socket.on("close", this.#onSocketClose);
    this.socket = socket;
    this.emit("socket", socket);
    this.flush();
  }

  detachSocket(socket: HttpSocket): void {
    socket.removeListener("close", this.#onSocketClose);
    socket.httpMessage = null;
    this.socket = null;
  }

  /** Reports the end of the connection, unless the response is complete and has been detached. */
  readonly #onSocketClose = (): void => {
    if (this.socket !== null) this.emitClose();
  };

  override emitClose(): void {
    if (!this.closed) this.destroyed = true;
    super.emitClose();
  }

  writeContinue(callback?: () => void): void {
    if (this.headersSent) throw headersSentError("write");
    this.writeToSocket("HTTP/1.1 100 Continue\r\n\r\n", "latin1", callback);
    this.#hasSentContinue = true;
  }

  protected override createHead(): void {
    this.writeHead(this.statusCode);
  }

  /** Takes (status, headers) or (status, reason, headers), where the headers may be missing. */
  writeHead(status: number, reasonOrHeaders?: string | HeaderList, headersAfterReason?: HeaderList): this {
    if (this.headersSent) throw headersSentError("write");
    const statusCode = Math.trunc(status);
    if (!(statusCode >= 100 && statusCode <= 999)) {
      throw codedError("ERR_HTTP_INVALID_STATUS_CODE", `Invalid status code: ${String(status)}`, RangeError);
    }
    if (typeof reasonOrHeaders === "string") this.statusMessage = reasonOrHeaders;
    else this.statusMessage ||= STATUS_CODES[statusCode] ?? "unknown";
    const headers = headersAfterReason ?? (typeof reasonOrHeaders === "string" ? undefined : reasonOrHeaders);
    this.statusCode = statusCode;
    // Without fields from `setHeader`, the given ones are sent as they are, which is faster.
    const mustMerge = this.hasSetHeaders();
    if (mustMerge && headers !== undefined) this.#mergeHeaders(headers);
    if (isInvalidFieldValue(this.statusMessage)) {
      throw codedError("ERR_INVALID_CHAR", "Invalid character in statusMessage", TypeError);
    }
    if (statusCode === 204 || statusCode === 304 || statusCode < 200) this.hasBody = false;
    // The client may send the body or not, so this server cannot know whether the next bytes are the body or another request.
    if (this.expectsContinue && !this.#hasSentContinue) this.shouldKeepAlive = false;
    const statusLine = `HTTP/1.1 ${statusCode} ${this.statusMessage}\r\n`;
    this.storeHeader(statusLine, mustMerge ? undefined : headers, statusCode);
    return this;
  }

  /** Sets the fields that `writeHead` got. They replace fields with the same names that were set before. */
  #mergeHeaders(headers: HeaderList): void {
    const pairs = toPairs(headers);
    for (const [name] of pairs) this.removeHeader(name);
    for (const [name, value] of pairs) this.appendHeader(name, value);
  }
}
