/**
 * One request and its response on a client connection. A ClientRequest (client.ts) creates its exchange when it gets a
 * connection:
 *
 *   new Exchange     reserves the connection for the request
 *   begin            lets the request be sent, and starts to read the response
 *   receiveResponse  emits 'response', 'information', 'upgrade' or 'connect' when the head of a response is complete
 *
 * When the request and the response are both complete, the exchange returns the connection to the agent, or ends the
 * connection if it must not be used again. An error before that destroys the socket, and the request emits 'error'.
 *
 * Events are emitted, and sockets destroyed, in the order of lib/_http_client.js of Node.js, because listeners can see it.
 */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import { type ClientConnection, clientConnectionOf } from "./client-connection.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { type HeadAction, type HttpParser, LEAVE_HTTP, type ParseError, READ_BODY, SKIP_BODY } from "./parser.ts";
import { endWhenWritten, type HttpSocket } from "./socket.ts";

/** The part of a ClientRequest that an exchange uses. */
export interface ExchangeRequest extends OutgoingMessage {
  readonly method: string;
  readonly aborted: boolean;
  readonly maxHeaderSize: number | undefined;
  readonly maxHeadersCount: number | null;
  res: IncomingMessage | null;
}

export class Exchange {
  readonly socket: HttpSocket;
  hasResponseEnded = false;
  /** The listener for 'timeout' of the socket with which the request emits its own 'timeout'. The request adds it. */
  timeoutListener: (() => void) | undefined;
  readonly #request: ExchangeRequest;
  readonly #connection: ClientConnection;
  /** The parser of the connection while it reads this exchange's response. */
  #parser: HttpParser | null = null;
  /** True from `begin` until the whole response was read, or reading it has failed. */
  #isReading = false;

  constructor(request: ExchangeRequest, socket: HttpSocket) {
    this.#request = request;
    this.socket = socket;
    socket.httpMessage = request;
    this.#connection = clientConnectionOf(socket);
    this.#connection.currentExchange = this;
  }

  /** Lets the request use the connection, and starts to read the response. */
  begin(): void {
    const request = this.#request;
    request.socket = this.socket;
    // The constructor has done so as well, but another request may have got the same socket from `createConnection` since then.
    this.socket.httpMessage = request;
    const limits = { maxHeaderSize: request.maxHeaderSize, maxFields: request.maxHeadersCount };
    this.#parser = this.#connection.prepareParser(limits);
    this.#isReading = true;
    this.#connection.startReading();
  }

  /** Returns the connection to the agent without using it. Is called in place of `begin`. */
  returnUnusedConnection(): void {
    this.#leaveConnection();
    this.socket.emit("free");
  }

  #leaveConnection(): void {
    if (this.#connection.currentExchange === this) this.#connection.currentExchange = undefined;
  }

  /** Ends the parser, which has not read a whole response, so that no later exchange can use it. */
  #endParser(): void {
    const parser = this.#parser;
    if (parser === null) return;
    this.#parser = null;
    this.#connection.dropParser();
    // A body without a length ends here. `onClose` reports a response that is still incomplete.
    parser.finish();
  }

  onDrain(): void {
    if (this.#isReading) this.#request.drained();
  }

  onTimeout(): void {
    if (!this.hasResponseEnded) this.#request.res?.emit("timeout");
  }

  /** Handles the error of the socket. A stream emits one error at most, and none after it was destroyed without an error. */
  fail(error: Error): void {
    const { socket } = this;
    socket.hadError = true;
    this.#request.emit("error", error);
    this.#endParser();
    this.#isReading = false;
    socket.destroy();
  }

  /** Emits the error of a connection that ended before the response, unless the request has already emitted the cause. */
  #emitHangUpError(): void {
    if (this.socket.hadError === true) return;
    this.socket.hadError = true;
    this.#request.emit("error", hangUpError());
  }

  /** Handles the end of the connection in both directions, whoever has ended it. */
  onClose(): void {
    const request = this.#request;
    // A request that destroys the socket before `begin` reports the end itself.
    if (request.socket !== this.socket) return;
    const { res: response } = request;
    request.destroyed = true;
    if (response === null) {
      this.#emitHangUpError();
      request.emitClose();
    } else {
      if (!response.complete) response.destroy(codedError("ECONNRESET", "aborted"));
      request.emitClose();
      if (!response.aborted && response.readable) response.push(null);
    }
    request.dropPending();
    this.#endParser();
  }

  /** Handles the end of what the server sends. */
  onInputEnd(): void {
    if (!this.#isReading) return;
    if (this.#request.res === null) this.#emitHangUpError();
    this.#endParser();
    this.socket.destroy();
  }

  readBytes(bytes: Uint8Array): void {
    const parser = this.#parser;
    // Without a parser, no response is expected. The bytes are dropped.
    if (parser === null) return this.#forbidReuse();
    const result = parser.execute(bytes);
    const { currentMessage: response } = parser;
    if (result instanceof Error) this.#failParsing(result);
    else if (response?.upgrade === true) this.#leaveHttp(response, bytes.subarray(result));
    else if (response?.complete === true && !isInformational(response)) this.#finishReading(parser);
  }

  #failParsing(error: ParseError): void {
    const { socket } = this;
    this.#parser = null;
    this.#connection.dropParser();
    this.#isReading = false;
    socket.destroy();
    socket.hadError = true;
    this.#request.emit("error", error);
  }

  /** Leaves the parser, which has read the whole response, to the next exchange on the connection. */
  #finishReading(parser: HttpParser): void {
    this.#isReading = false;
    this.#parser = null;
    const hasSecondResponseBegun = parser.messageStartMs !== undefined;
    if (hasSecondResponseBegun) this.#forbidReuse();
  }

  /** Keeps the agent from using the connection again: bytes after the response would be taken for the next response. */
  #forbidReuse(): void {
    this.#request.shouldKeepAlive = false;
  }

  /**
   * Hands the connection over to the listener for 'upgrade' or 'connect', which reads another protocol.
   *
   * @param firstBytes the bytes after the head that have already come
   */
  #leaveHttp(response: IncomingMessage, firstBytes: Uint8Array): void {
    const { socket } = this;
    const request = this.#request;
    this.#isReading = false;
    this.#removeTimeoutListener();
    this.#endParser();
    this.#connection.detachSocket();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    // As in Node.js, the connection ends if there is no listener.
    if (request.listenerCount(event) === 0) return void socket.destroy();
    // The agent must not give the connection to another request.
    socket.emit("agentRemove");
    socket.httpMessage = null;
    // The stream flows only when the listener reads it, as if it had never been read.
    Object.assign(socket, { readableFlowing: null });
    request.emit(event, response, socket, firstBytes);
    request.destroyed = true;
    request.emitClose();
  }

  /** Handles a response whose head is complete. @param keepsAlive false if the server will end the connection */
  receiveResponse(response: IncomingMessage, keepsAlive: boolean): HeadAction {
    const request = this.#request;
    if (request.res !== null) return this.#refuseSecondResponse(request.res);
    if (response.upgrade || request.method === "CONNECT") {
      request.res = response;
      response.upgrade = true;
      return LEAVE_HTTP;
    }
    if (isInformational(response)) {
      if (response.statusCode === 100) request.emit("continue");
      request.emit("information", response);
      return SKIP_BODY;
    }
    return this.#receiveFinalResponse(response, keepsAlive);
  }

  /** Ends the connection to a server that answers one request twice, and ignores the second response. */
  #refuseSecondResponse(firstResponse: IncomingMessage): HeadAction {
    this.socket.destroy();
    firstResponse.skipsData = true;
    // The parser gives the second body to its current message.
    if (this.#parser !== null) this.#parser.currentMessage = firstResponse;
    return READ_BODY;
  }

  #receiveFinalResponse(response: IncomingMessage, keepsAlive: boolean): HeadAction {
    const request = this.#request;
    request.res = response;
    if (!keepsAlive) request.shouldKeepAlive = false;
    response.req = request;
    response.on("end", () => this.#onResponseEnd(response));
    request.on("finish", () => this.#onRequestFinish());
    if (request.aborted || !request.emit("response", response)) response.dump();
    if (request.method === "HEAD") return SKIP_BODY;
    if (response.statusCode !== 304) return READ_BODY;
    // As in Node.js, a 304 is complete now; a response to HEAD is complete when the parser reports its end.
    response.complete = true;
    return SKIP_BODY;
  }

  #removeTimeoutListener(): void {
    if (this.timeoutListener !== undefined) this.socket.removeListener("timeout", this.timeoutListener);
  }

  #onResponseEnd(response: IncomingMessage): void {
    const { socket } = this;
    const request = this.#request;
    this.#removeTimeoutListener();
    this.hasResponseEnded = true;
    if (!request.shouldKeepAlive) {
      if (socket.writable) endWhenWritten(socket);
    } else if (request.writableFinished && !response.aborted) this.#returnConnection();
  }

  /** Handles the end of a request. If the response has ended before, the connection is no longer needed. */
  #onRequestFinish(): void {
    const { socket } = this;
    const request = this.#request;
    if (!this.hasResponseEnded || request.destroyed) return;
    if (request.shouldKeepAlive) this.#returnConnection();
    else if (socket.writable) endWhenWritten(socket);
  }

  /** Returns the connection to the agent, after the other listeners for the end of the response were called. */
  #returnConnection(): void {
    const { socket } = this;
    const request = this.#request;
    if (this.timeoutListener !== undefined) {
      socket.setTimeout?.(0, this.timeoutListener);
      this.timeoutListener = undefined;
    }
    this.#leaveConnection();
    this.#isReading = false;
    nextTick(() => {
      request.emitClose();
      socket.emit("free");
    });
    // As in Node.js, a request without a connection is destroyed, even if it has succeeded.
    request.destroyed = true;
    if (request.res !== null) request.res.socket = null;
  }
}

/** Returns true for a response that precedes the final one (RFC 9110, 15.2). 101 is final: it ends HTTP on the connection. */
function isInformational({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

/** Returns the error of a connection that ends before the response. */
export function hangUpError(): Error {
  return codedError("ECONNRESET", "socket hang up");
}
