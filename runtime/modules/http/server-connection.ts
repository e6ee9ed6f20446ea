/**
 * A connection of a server of node:http: reads the requests, and sends the responses in the order of the requests.
 *
 * A client may send requests without waiting for the responses (RFC 9112, 9.3.2). So the listeners may write several responses at
 * a time. One of them is sent, and the others wait in `#waitingResponses`. While they have much to send, the connection is not
 * read, because the responses to further requests would fill the memory.
 */
import { codedError } from "../../errors.ts";
import type { EventEmitter } from "../events.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import type { IncomingMessage } from "./incoming.ts";
import { type HeadAction, HttpParser, LEAVE_HTTP, READ_BODY, STOP_PARSING } from "./parser.ts";
import { ServerResponse, STATUS_CODES } from "./response.ts";
import { addConsumer, endWhenWritten, type HttpSocket, pauseReading, removeConsumer, resumeReading } from "./socket.ts";

/** The part of a server that a connection uses. */
export interface ConnectionServer extends EventEmitter {
  readonly maxHeaderSize: number | undefined;
  readonly maxHeadersCount: number | null;
  readonly requireHostHeader: boolean;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly timeout: number;
}

/** An idle connection is ended this much later than announced, because a request may be on its way at the announced time. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** The statuses of the responses to errors of a client. Other errors get 400. */
const ERROR_STATUSES: ReadonlyMap<unknown, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

export class ServerConnection {
  readonly socket: HttpSocket;
  readonly #server: ConnectionServer;
  readonly #onLeave: () => void;
  /** Null after the connection has ended or left HTTP. */
  #parser: HttpParser | null;
  /** The requests whose responses are not completely sent. */
  readonly #openRequests: IncomingMessage[] = [];
  /** The response that is being sent. */
  #currentResponse: ServerResponse | null = null;
  /** The responses to the requests after that of the current response. */
  readonly #waitingResponses: ServerResponse[] = [];
  /** The number of pending bytes of the waiting responses. */
  #pendingBytes = 0;
  /** True while the timeout of the socket is that of an idle connection. */
  #hasIdleTimeout = false;

  /** @param onLeave is called when the connection has ended, or has left HTTP for another protocol */
  constructor(server: ConnectionServer, socket: HttpSocket, onLeave: () => void) {
    this.#server = server;
    this.socket = socket;
    this.#onLeave = onLeave;
    if (server.timeout > 0) socket.setTimeout?.(server.timeout);
    const { maxHeaderSize, maxHeadersCount: maxFields } = server;
    this.#parser = new HttpParser(socket, "request", { maxHeaderSize, maxFields }, (request, keepsAlive) =>
      this.#receiveRequest(request, keepsAlive),
    );
    socket.waitsForResponses = false;
    socket.on("timeout", this.#onTimeout).on("error", this.fail).on("end", this.#onInputEnd);
    socket.on("close", this.#onClose).on("drain", this.#onDrain);
    addConsumer(socket, this.#readBytes);
  }

  /** True if no request is being read or answered. A new connection is not idle, because its first request may be on its way. */
  get isIdle(): boolean {
    const isReading = this.#parser?.messageStartMs !== undefined;
    return !isReading && (this.#currentResponse === null || this.#currentResponse.finished);
  }

  /**
   * Handles a request that takes longer than `headersTimeout` or `requestTimeout` as an error of the client.
   *
   * @param nowMs the time by `native.now()`
   */
  endIfOverdue(nowMs: number): void {
    const { headersTimeout, requestTimeout } = this.#server;
    const parser = this.#parser;
    if (parser?.messageStartMs === undefined) return;
    const passedMs = nowMs - parser.messageStartMs;
    const isHeadOverdue = headersTimeout > 0 && !parser.isHeadComplete && passedMs > headersTimeout;
    const isRequestOverdue = requestTimeout > 0 && passedMs > requestTimeout;
    if (!isHeadOverdue && !isRequestOverdue) return;
    // A listener for 'clientError' may leave the connection open. The request does not fail again.
    parser.messageStartMs = undefined;
    this.fail(codedError("ERR_HTTP_REQUEST_TIMEOUT", "Request timeout"));
  }

  /** Destroys an inactive connection, unless a listener of the request, the response or the server handles 'timeout'. */
  readonly #onTimeout = (): void => {
    const request = this.#parser?.currentMessage;
    const isRequestIncomplete = request != null && !request.complete;
    // All three events are emitted, even if the first one is handled.
    const haveListeners = [
      isRequestIncomplete && request.emit("timeout", this.socket),
      this.#currentResponse?.emit("timeout", this.socket),
      this.#server.emit("timeout", this.socket),
    ];
    if (!haveListeners.includes(true)) this.socket.destroy();
  };

  /** Handles an error of the client: sends a response and ends the connection, unless a listener handles 'clientError'. */
  readonly fail = (error: Error): void => {
    const { socket } = this;
    socket.removeListener("error", this.fail);
    // Further errors are ignored. Without a listener they would end the process.
    if (socket.listenerCount("error") === 0) socket.on("error", () => {});
    if (this.#server.emit("clientError", error, socket)) return;
    if (socket.writable && this.#currentResponse?.isHeadSent !== true) {
      const status = ("code" in error ? ERROR_STATUSES.get(error.code) : undefined) ?? 400;
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`);
    }
    socket.destroy(error);
  };

  readonly #readBytes = (bytes: Buffer): void => {
    const parser = this.#parser;
    if (parser === null) return;
    const result = parser.execute(bytes);
    const { currentMessage: request } = parser;
    if (this.socket.destroyed) return;
    if (result instanceof Error) this.fail(result);
    else if (request?.upgrade === true) this.#leaveHttp(request, bytes.subarray(result));
    // A client of HTTP/2 begins with this method (RFC 9113, 3.4).
    else if (request?.method === "PRI") this.socket.destroy();
  };

  /**
   * Hands the connection over to a listener for 'upgrade' or 'connect', which reads another protocol.
   *
   * @param firstBytes the bytes after the head that have already come
   */
  #leaveHttp(request: IncomingMessage, firstBytes: Buffer): void {
    const { socket } = this;
    socket.removeListener("timeout", this.#onTimeout).removeListener("error", this.fail);
    socket.removeListener("end", this.#onInputEnd).removeListener("close", this.#onClose);
    socket.removeListener("drain", this.#onDrain);
    removeConsumer(socket, this.#readBytes);
    const parser = this.#parser;
    this.#parser = null;
    parser?.finish();
    this.#onLeave();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (this.#server.listenerCount(event) === 0) return void socket.destroy();
    // The stream flows only when the listener reads it, as if it had never been read.
    Object.assign(socket, { readableFlowing: null });
    this.#server.emit(event, request, socket, firstBytes);
  }

  /** Handles the end of what the client sends. It is an error in the middle of a request. */
  readonly #onInputEnd = (): void => {
    const error = this.#parser?.finish();
    if (error === undefined) this.socket.end();
    else this.fail(error);
  };

  readonly #onClose = (): void => {
    this.#parser = null;
    this.#onLeave();
    const abortedError = codedError("ECONNRESET", "aborted");
    for (const request of this.#openRequests.splice(0)) request.destroy(abortedError);
    // The current response learns of the end by its own listener for 'close' of the socket.
    for (const response of this.#waitingResponses.splice(0)) response.destroy(abortedError);
  };

  /** Resumes reading if less waits to be sent now, and lets the listener write more of the current response. */
  readonly #onDrain = (): void => {
    const { socket } = this;
    if (socket.waitsForResponses === true && this.#pendingBytes <= socket.writableHighWaterMark) {
      socket.waitsForResponses = false;
      resumeReading(socket);
    }
    if (this.#currentResponse?.writableLength === 0) this.#currentResponse.drained();
  };

  #receiveRequest(request: IncomingMessage, keepsAlive: boolean): HeadAction {
    const server = this.#server;
    const { socket } = this;
    // The listener of an earlier request may have closed the connection. Unlike Node.js, this does not parse the rest of the bytes.
    if (socket.destroyed) return STOP_PARSING;
    if (this.#hasIdleTimeout) {
      socket.setTimeout?.(server.timeout);
      this.#hasIdleTimeout = false;
    }
    if (request.upgrade) {
      // A server that listens for no 'upgrade' may answer the request without changing the protocol (RFC 9110, 7.8).
      request.upgrade = request.method === "CONNECT" || server.listenerCount("upgrade") > 0;
      if (request.upgrade) return LEAVE_HTTP;
    }
    this.#openRequests.push(request);
    this.#pauseIfResponsesWait();
    const response = new ServerResponse(request, (bytes) => {
      this.#pendingBytes += bytes;
      // Reading resumes if little waits to be sent now.
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

  /** Pauses reading if the socket or the waiting responses already have much to send. */
  #pauseIfResponsesWait(): void {
    const { socket } = this;
    if (socket.waitsForResponses === true) return;
    if (!socket.writableNeedDrain && this.#pendingBytes < socket.writableHighWaterMark) return;
    socket.waitsForResponses = true;
    pauseReading(socket);
  }

  /** Emits the event for a request, or answers a request that is invalid or that expects what no listener handles. */
  #emitRequest(request: IncomingMessage, response: ServerResponse): void {
    const server = this.#server;
    // Most requests have no such field, and `headers` must be joined before it can be read.
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

  /** Continues with the next response when one was sent completely, or waits for the next request. */
  #endResponse(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = this;
    if (this.#openRequests[0] === request) this.#openRequests.shift();
    // The next request comes after the body. If the listener does not read the body, it is dropped.
    if (!request.hasReader()) request.dump();
    this.#currentResponse = null;
    response.detachSocket(socket);
    const parser = this.#parser;
    // An idle connection does not keep the last request in memory.
    if (parser?.currentMessage === request && request.hasEnded) parser.currentMessage = null;
    nextTick(() => response.emitClose());
    // The responses that wait after the last one are never sent. `#onClose` destroys them.
    if (response.isLast) return endWhenWritten(socket);
    const nextResponse = this.#waitingResponses.shift();
    if (nextResponse !== undefined) this.#beginResponse(nextResponse);
    else if (this.#server.keepAliveTimeout > 0) {
      socket.setTimeout?.(this.#server.keepAliveTimeout + KEEP_ALIVE_MARGIN_MS);
      this.#hasIdleTimeout = true;
    }
  }
}
