/**
 * A connection of a server of node:http: reads the requests, and sends the responses in the order of the requests. A client may
 * send several requests without waiting for the responses (RFC 9112, 9.3.2). Their responses wait in `#waitingResponses`, and the
 * connection is not read while they fill the memory.
 */
import { codedError } from "../../errors.ts";
import type { EventEmitter } from "../events.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import type { IncomingMessage } from "./incoming.ts";
import { type HeadAction, HttpParser, LEAVE_HTTP, type ParseError, READ_BODY, STOP_PARSING } from "./parser.ts";
import { ServerResponse, STATUS_CODES } from "./response.ts";
import { consume, endSoon, type HttpSocket, readStart, readStop, release } from "./socket.ts";

/** The part of a server that a connection uses. */
export interface ConnectionServer extends EventEmitter {
  readonly maxHeaderSize: number | undefined;
  readonly maxHeadersCount: number | null;
  readonly requireHostHeader: boolean;
  readonly keepAliveTimeout: number;
  readonly timeout: number;
}

/** An idle connection is ended so much later than announced, so that a request that is on its way still meets a server. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** The statuses for errors of a client. Other errors get 400. */
const STATUS_OF_ERROR: ReadonlyMap<unknown, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

export class ServerConnection {
  readonly socket: HttpSocket;
  readonly #server: ConnectionServer;
  readonly #onEnd: () => void;
  #parser: HttpParser | null;
  /** The requests whose responses are not completely sent. */
  readonly #requests: IncomingMessage[] = [];
  /** The response that is being sent. */
  #currentResponse: ServerResponse | null = null;
  /** The responses behind the current one. */
  readonly #waitingResponses: ServerResponse[] = [];
  /** The number of bytes that wait in responses behind the current one. */
  #pendingBytes = 0;
  #hasIdleTimeout = false;

  /** @param onEnd is called when the connection has ended, or belongs to another protocol */
  constructor(server: ConnectionServer, socket: HttpSocket, onEnd: () => void) {
    this.#server = server;
    this.socket = socket;
    this.#onEnd = onEnd;
    if (server.timeout > 0) socket.setTimeout?.(server.timeout);
    const { maxHeaderSize, maxHeadersCount: maxFields } = server;
    this.#parser = new HttpParser(socket, true, { maxHeaderSize, maxFields }, (request, keepsAlive) =>
      this.#receiveRequest(request, keepsAlive),
    );
    socket.waitsForResponses = false;
    socket.on("timeout", this.#onTimeout).on("error", this.fail).on("end", this.#onInputEnd);
    socket.on("close", this.#onClose).on("drain", this.#onDrain);
    consume(socket, this.#readBytes);
  }

  /** Is true if no request is being read or answered, and the connection is not so new that its first request may be on its way. */
  get isIdle(): boolean {
    return this.#parser?.started === undefined && (this.#currentResponse === null || this.#currentResponse.finished);
  }

  /** Returns true once if a head, or a whole request, takes longer than the limits in milliseconds, of which 0 is no limit. */
  isOverdue(now: number, headersMs: number, requestMs: number): boolean {
    const parser = this.#parser;
    if (parser?.started === undefined) return false;
    const passedMs = now - parser.started;
    const isHeadOverdue = headersMs > 0 && !parser.isHeadComplete && passedMs > headersMs;
    const isRequestOverdue = requestMs > 0 && passedMs > requestMs;
    if (!isHeadOverdue && !isRequestOverdue) return false;
    parser.started = undefined;
    return true;
  }

  readonly #onTimeout = (): void => {
    const request = this.#parser?.incoming;
    const isRequestIncomplete = request != null && !request.complete;
    const isHandled = [
      isRequestIncomplete && request.emit("timeout", this.socket),
      this.#currentResponse?.emit("timeout", this.socket),
      this.#server.emit("timeout", this.socket),
    ];
    if (!isHandled.includes(true)) this.socket.destroy();
  };

  /** Ends the connection because of an error of the client, with a response, unless a listener handles 'clientError'. */
  readonly fail = (error: Error): void => {
    const { socket } = this;
    socket.removeListener("error", this.fail);
    if (socket.listenerCount("error") === 0) socket.on("error", () => {});
    if (this.#server.emit("clientError", error, socket)) return;
    if (socket.writable && this.#currentResponse?.isHeadSent !== true) {
      const status = ("code" in error ? STATUS_OF_ERROR.get(error.code) : undefined) ?? 400;
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`);
    }
    socket.destroy(error);
  };

  readonly #readBytes = (bytes: Buffer): void => {
    const parser = this.#parser;
    if (parser === null) return;
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (this.socket.destroyed) return;
    if (result instanceof Error) this.fail(result);
    else if (incoming?.upgrade === true) this.#leaveHttp(incoming, bytes.subarray(result));
    // A client of HTTP/2 begins with this method (RFC 9113, 3.4).
    else if (incoming?.method === "PRI") this.socket.destroy();
  };

  /** Hands the connection over to a listener that reads another protocol. @param firstBytes those that came behind the head */
  #leaveHttp(request: IncomingMessage, firstBytes: Buffer): void {
    const { socket } = this;
    socket.removeListener("timeout", this.#onTimeout).removeListener("error", this.fail);
    socket.removeListener("end", this.#onInputEnd).removeListener("close", this.#onClose);
    socket.removeListener("drain", this.#onDrain);
    release(socket, this.#readBytes);
    this.#freeParser();
    this.#onEnd();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (this.#server.listenerCount(event) === 0) return void socket.destroy();
    // The stream is as if it had never been read, so that it flows only when the listener reads it.
    Object.assign(socket, { readableFlowing: null });
    this.#server.emit(event, request, socket, firstBytes);
  }

  #freeParser(): ParseError | undefined {
    const parser = this.#parser;
    this.#parser = null;
    return parser?.finish();
  }

  readonly #onInputEnd = (): void => {
    const error = this.#parser?.finish();
    if (error === undefined) this.socket.end();
    else this.fail(error);
  };

  readonly #onClose = (): void => {
    this.#parser = null;
    this.#onEnd();
    const aborted = codedError("ECONNRESET", "aborted");
    for (const request of this.#requests.splice(0)) request.destroy(aborted);
    for (const response of this.#waitingResponses.splice(0)) response.destroy(aborted);
  };

  readonly #onDrain = (): void => {
    const { socket } = this;
    if (socket.waitsForResponses === true && this.#pendingBytes <= socket.writableHighWaterMark) {
      socket.waitsForResponses = false;
      readStart(socket);
    }
    if (this.#currentResponse?.writableLength === 0) this.#currentResponse.drained();
  };

  #receiveRequest(request: IncomingMessage, keepsAlive: boolean): HeadAction {
    const server = this.#server;
    const { socket } = this;
    // The listener of an earlier request has closed the connection. Node.js parses on to the end of these bytes.
    if (socket.destroyed) return STOP_PARSING;
    if (this.#hasIdleTimeout) {
      socket.setTimeout?.(server.timeout);
      this.#hasIdleTimeout = false;
    }
    if (request.upgrade) {
      request.upgrade = request.method === "CONNECT" || server.listenerCount("upgrade") > 0;
      if (request.upgrade) return LEAVE_HTTP;
    }
    this.#requests.push(request);
    this.#pauseIfResponsesWait();
    const response = new ServerResponse(request, (bytes) => {
      this.#pendingBytes += bytes;
      this.#onDrain();
    });
    response.keepAliveMs = server.keepAliveTimeout;
    response.shouldKeepAlive = keepsAlive;
    if (this.#currentResponse === null) this.#beginResponse(response);
    else this.#waitingResponses.push(response);
    response.on("finish", () => this.#endResponse(request, response));
    this.#emitRequest(request, response);
    return READ_BODY;
  }

  /** Stops reading while responses cannot be sent: those of further requests would fill the memory. */
  #pauseIfResponsesWait(): void {
    const { socket } = this;
    if (socket.waitsForResponses === true) return;
    if (!socket.writableNeedDrain && this.#pendingBytes < socket.writableHighWaterMark) return;
    socket.waitsForResponses = true;
    readStop(socket);
  }

  /** Emits the event for a request, or answers it if the client expects what no listener handles. */
  #emitRequest(request: IncomingMessage, response: ServerResponse): void {
    const server = this.#server;
    // `headers` would be made for each request, although most requests have no such field.
    const expectation = request.hasField("expect") ? request.headers["expect"] : undefined;
    const isHttp11 = request.httpVersionMajor === 1 && request.httpVersionMinor === 1;
    if (isHttp11 && server.requireHostHeader && !request.hasField("host")) {
      response.writeHead(400, ["Connection", "close"]).end();
    } else if (!isHttp11 || typeof expectation !== "string") server.emit("request", request, response);
    else if (/(?:^|\W)100-continue(?:$|\W)/i.test(expectation)) {
      response.expectsContinue = true;
      if (server.listenerCount("checkContinue") > 0) server.emit("checkContinue", request, response);
      else {
        response.writeContinue();
        server.emit("request", request, response);
      }
    } else if (!server.emit("checkExpectation", request, response)) response.writeHead(417).end();
  }

  #beginResponse(response: ServerResponse): void {
    this.#currentResponse = response;
    response.assignSocket(this.socket);
  }

  /** Ends a response that is sent, and goes on with the next one, or waits for the next request. */
  #endResponse(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = this;
    if (this.#requests[0] === request) this.#requests.shift();
    // The next request comes behind the body, which the listener may not have read.
    if (!request.isRead()) request.dump();
    this.#currentResponse = null;
    response.detachSocket(socket);
    const parser = this.#parser;
    if (parser?.incoming === request && request.hasEnded) parser.incoming = null;
    nextTick(() => response.emitClose());
    const nextResponse = this.#waitingResponses.shift();
    if (response.isLast) {
      if (nextResponse !== undefined) this.#waitingResponses.unshift(nextResponse);
      endSoon(socket);
    } else if (nextResponse !== undefined) this.#beginResponse(nextResponse);
    else if (this.#server.keepAliveTimeout > 0) {
      socket.setTimeout?.(this.#server.keepAliveTimeout + KEEP_ALIVE_MARGIN_MS);
      this.#hasIdleTimeout = true;
    }
  }
}
