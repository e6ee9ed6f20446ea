/** A server's connection: reads requests, and sends the answers in their order. */
import { codedError } from "../../errors.ts";
import type { EventEmitter } from "../events.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import type { IncomingMessage } from "./incoming.ts";
import { type Action, HttpParser, type ParseError } from "./parser.ts";
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

/** An idle connection ends by this after the announced time, so that no request meets its end. */
const KEEP_ALIVE_MARGIN_MS = 1000;

export class Connection {
  readonly socket: HttpSocket;
  readonly #server: ConnectionServer;
  readonly #ended: () => void;
  #parser: HttpParser | null;
  /** Requests without a whole answer. */
  readonly #requests: IncomingMessage[] = [];
  /** Answers behind the one that is being sent. */
  readonly #waiting: ServerResponse[] = [];
  #current: ServerResponse | null = null;
  #pendingBytes = 0;
  #hasIdleTimeout = false;

  /** @param ended is called when the server has nothing to do with the connection any more */
  constructor(server: ConnectionServer, socket: HttpSocket, ended: () => void) {
    this.#server = server;
    this.socket = socket;
    this.#ended = ended;
    if (server.timeout > 0) socket.setTimeout?.(server.timeout);
    const { maxHeaderSize, maxHeadersCount: maxFields } = server;
    this.#parser = new HttpParser(socket, true, { maxHeaderSize, maxFields }, (request, keepsAlive) =>
      this.#receive(request, keepsAlive),
    );
    socket.waitsForAnswers = false;
    socket.on("timeout", this.#timedOut).on("error", this.fail).on("end", this.#inputEnded);
    socket.on("close", this.#closed).on("drain", this.#drained);
    consume(socket, this.#read);
  }

  /** No request is being read, and none is waited for on a new connection. */
  get isIdle(): boolean {
    return this.#parser?.started === undefined && (this.#current === null || this.#current.finished);
  }

  /** Returns true once if a head, or a whole request, takes longer than the limits in milliseconds (0: no limit). */
  isOverdue(now: number, headersMs: number, requestMs: number): boolean {
    const parser = this.#parser;
    if (parser?.started === undefined) return false;
    const passed = now - parser.started;
    const isOver =
      (headersMs > 0 && !parser.isHeadComplete && passed > headersMs) || (requestMs > 0 && passed > requestMs);
    if (isOver) parser.started = undefined;
    return isOver;
  }

  readonly #timedOut = (): void => {
    const request = this.#parser?.incoming;
    const isHeard = [
      request != null && !request.complete && request.emit("timeout", this.socket),
      this.#current?.emit("timeout", this.socket),
      this.#server.emit("timeout", this.socket),
    ];
    if (!isHeard.includes(true)) this.socket.destroy();
  };

  /** Reports an error of the client, or answers it. */
  readonly fail = (error: Error): void => {
    const { socket } = this;
    socket.removeListener("error", this.fail);
    if (socket.listenerCount("error") === 0) socket.on("error", () => {});
    if (this.#server.emit("clientError", error, socket)) return;
    if (socket.writable && this.#current?.isHeadSent !== true) {
      const code = "code" in error ? error.code : "";
      const status =
        code === "HPE_HEADER_OVERFLOW"
          ? 431
          : code === "HPE_CHUNK_EXTENSIONS_OVERFLOW"
            ? 413
            : code === "ERR_HTTP_REQUEST_TIMEOUT"
              ? 408
              : 400;
      socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`);
    }
    socket.destroy(error);
  };

  readonly #read = (bytes: Buffer): void => {
    const parser = this.#parser;
    if (parser === null) return;
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (this.socket.destroyed) return;
    if (result instanceof Error) this.fail(result);
    else if (incoming?.upgrade === true) this.#hand(incoming, bytes.subarray(result));
    else if (incoming?.method === "PRI") this.socket.destroy();
  };

  /** Hands the connection over to another protocol. */
  #hand(request: IncomingMessage, first: Buffer): void {
    const { socket } = this;
    socket.removeListener("timeout", this.#timedOut).removeListener("error", this.fail);
    socket.removeListener("end", this.#inputEnded).removeListener("close", this.#closed);
    socket.removeListener("drain", this.#drained);
    release(socket, this.#read);
    this.#freeParser();
    this.#ended();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (this.#server.listenerCount(event) === 0) return void socket.destroy();
    // Whoever takes it begins to read.
    Object.assign(socket, { readableFlowing: null });
    this.#server.emit(event, request, socket, first);
  }

  #freeParser(): ParseError | undefined {
    const parser = this.#parser;
    this.#parser = null;
    return parser?.finish();
  }

  readonly #inputEnded = (): void => {
    const error = this.#parser?.finish();
    if (error === undefined) this.socket.end();
    else this.fail(error);
  };

  readonly #closed = (): void => {
    this.#parser = null;
    this.#ended();
    const aborted = codedError("ECONNRESET", "aborted");
    for (const request of this.#requests.splice(0)) request.destroy(aborted);
    for (const response of this.#waiting.splice(0)) response.destroy(aborted);
  };

  readonly #drained = (): void => {
    const { socket } = this;
    if (socket.waitsForAnswers === true && this.#pendingBytes <= socket.writableHighWaterMark) {
      socket.waitsForAnswers = false;
      readStart(socket);
    }
    if (this.#current?.writableLength === 0) this.#current.drained();
  };

  #receive(request: IncomingMessage, keepsAlive: boolean): Action {
    const server = this.#server;
    const { socket } = this;
    // The listener of an earlier request has closed the connection. Node.js reads on to the end of these bytes.
    if (socket.destroyed) return 3;
    if (this.#hasIdleTimeout) {
      socket.setTimeout?.(server.timeout);
      this.#hasIdleTimeout = false;
    }
    if (request.upgrade) {
      request.upgrade = request.method === "CONNECT" || server.listenerCount("upgrade") > 0;
      if (request.upgrade) return 2;
    }
    this.#requests.push(request);
    // Requests whose answers cannot be sent would fill the memory.
    if (
      socket.waitsForAnswers !== true &&
      (socket.writableNeedDrain || this.#pendingBytes >= socket.writableHighWaterMark)
    ) {
      socket.waitsForAnswers = true;
      readStop(socket);
    }
    const response = new ServerResponse(request, (bytes) => {
      this.#pendingBytes += bytes;
      this.#drained();
    });
    response.keepAliveMs = server.keepAliveTimeout;
    response.shouldKeepAlive = keepsAlive;
    if (this.#current === null) this.#assign(response);
    else this.#waiting.push(response);
    response.on("finish", () => this.#answered(request, response));
    this.#announce(request, response);
    return 0;
  }

  #announce(request: IncomingMessage, response: ServerResponse): void {
    const server = this.#server;
    // Not all headers: most listeners read only those that came.
    const expect = request.hasField("expect") ? request.headers["expect"] : undefined;
    const is11 = request.httpVersionMajor === 1 && request.httpVersionMinor === 1;
    if (is11 && server.requireHostHeader && !request.hasField("host")) {
      response.writeHead(400, ["Connection", "close"]).end();
    } else if (!is11 || typeof expect !== "string") server.emit("request", request, response);
    else if (/(?:^|\W)100-continue(?:$|\W)/i.test(expect)) {
      response.expectsContinue = true;
      if (server.listenerCount("checkContinue") > 0) server.emit("checkContinue", request, response);
      else {
        response.writeContinue();
        server.emit("request", request, response);
      }
    } else if (!server.emit("checkExpectation", request, response)) response.writeHead(417).end();
  }

  #assign(response: ServerResponse): void {
    this.#current = response;
    response.assignSocket(this.socket);
  }

  #answered(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = this;
    if (this.#requests[0] === request) this.#requests.shift();
    // A body that the listener does not read is in the way of the next request.
    if (!request.isRead()) request.dump();
    this.#current = null;
    response.detachSocket(socket);
    const parser = this.#parser;
    if (parser?.incoming === request && request.hasEnded) parser.incoming = null;
    nextTick(() => response.emitClose());
    const next = this.#waiting.shift();
    if (response.isLast) {
      if (next !== undefined) this.#waiting.unshift(next);
      endSoon(socket);
    } else if (next !== undefined) this.#assign(next);
    else if (this.#server.keepAliveTimeout > 0) {
      socket.setTimeout?.(this.#server.keepAliveTimeout + KEEP_ALIVE_MARGIN_MS);
      this.#hasIdleTimeout = true;
    }
  }
}
