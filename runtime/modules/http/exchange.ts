/**
 * A request of a client on its connection, and the response to it. The request gets an exchange when it gets a connection:
 *
 *   new Exchange     takes the connection
 *   begin            lets the request be sent, and reads the response
 *   receiveResponse  emits 'response', or 'information', 'upgrade' or 'connect'
 *   at the end       gives the connection back to the agent, or ends it, when both the request and the response are complete
 *
 * An error on the way destroys the socket, and the request emits 'error' once; `socket.hadError` prevents a second one.
 */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import { type ClientConnection, clientConnectionOf } from "./client-connection.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { type HeadAction, type HttpParser, LEAVE_HTTP, READ_BODY, SKIP_BODY } from "./parser.ts";
import { endSoon, type HttpSocket } from "./socket.ts";

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
  /** The response has ended. */
  hasEnded = false;
  /** The listener by which the request emits 'timeout'. */
  timeoutListener: (() => void) | undefined;
  readonly #request: ExchangeRequest;
  readonly #connection: ClientConnection;
  #parser: HttpParser | null = null;
  #isUpgraded = false;
  /** The exchange still waits for the response, or for its end. */
  #isReading = false;

  constructor(request: ExchangeRequest, socket: HttpSocket) {
    this.#request = request;
    this.socket = socket;
    socket.httpMessage = request;
    this.#connection = clientConnectionOf(socket);
    this.#connection.currentExchange = this;
  }

  /** Gives the connection to the request, and reads the response. */
  begin(): void {
    const { socket } = this;
    const request = this.#request;
    request.socket = socket;
    socket.httpMessage = request;
    const limits = { maxHeaderSize: request.maxHeaderSize, maxFields: request.maxHeadersCount };
    this.#parser = this.#connection.parserFor(limits);
    this.#isReading = true;
    this.#connection.startReading();
  }

  /** Gives the unused connection back to the agent, in place of `begin`. */
  giveBack(): void {
    this.#leaveConnection();
    this.socket.emit("free");
  }

  #leaveConnection(): void {
    if (this.#connection.currentExchange === this) this.#connection.currentExchange = undefined;
  }

  /** Ends a parser that cannot read another response. */
  #freeParser(): void {
    const parser = this.#parser;
    if (parser === null) return;
    this.#parser = null;
    this.#connection.dropParser();
    parser.finish();
  }

  onDrain(): void {
    if (this.#isReading) this.#request.drained();
  }

  onTimeout(): void {
    if (!this.hasEnded) this.#request.res?.emit("timeout");
  }

  /** Ends the exchange because of an error of the socket. */
  fail(error: Error): void {
    const { socket } = this;
    socket.hadError = true;
    this.#request.emit("error", error);
    this.#freeParser();
    this.#isReading = false;
    socket.destroy();
  }

  /** Reports that the connection has ended without a response. */
  #emitHangUp(): void {
    if (this.socket.hadError === true) return;
    this.socket.hadError = true;
    this.#request.emit("error", hangUp());
  }

  onClose(): void {
    const request = this.#request;
    // If the exchange has not begun, the request notices the end when it begins.
    if (request.socket !== this.socket) return;
    const { res: response } = request;
    request.destroyed = true;
    if (response === null) {
      this.#emitHangUp();
      request.emitClose();
    } else {
      if (!response.complete) response.destroy(codedError("ECONNRESET", "aborted"));
      request.emitClose();
      if (!response.aborted && response.readable) response.push(null);
    }
    request.dropPending();
    this.#freeParser();
  }

  onInputEnd(): void {
    if (!this.#isReading) return;
    if (this.#request.res === null) this.#emitHangUp();
    this.#freeParser();
    this.socket.destroy();
  }

  readBytes(bytes: Uint8Array): void {
    const { socket } = this;
    const parser = this.#parser;
    if (parser === null) return this.#endConnectionAfterwards();
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (result instanceof Error) {
      this.#parser = null;
      this.#connection.dropParser();
      this.#isReading = false;
      socket.destroy();
      socket.hadError = true;
      this.#request.emit("error", result);
    } else if (incoming?.upgrade === true) this.#leaveHttp(incoming, bytes.subarray(result));
    else if (incoming?.complete === true && !isInformational(incoming)) {
      this.#isReading = false;
      this.#parser = null;
      const hasNextBegun = parser.started !== undefined;
      if (hasNextBegun) this.#endConnectionAfterwards();
    }
  }

  /** Lets no further request use the connection, because bytes behind the response would be taken for the next response. */
  #endConnectionAfterwards(): void {
    this.#request.shouldKeepAlive = false;
  }

  /** Hands the connection over to a listener that reads another protocol. @param firstBytes those that came behind the head */
  #leaveHttp(response: IncomingMessage, firstBytes: Uint8Array): void {
    const { socket } = this;
    const request = this.#request;
    request.res = response;
    this.#isReading = false;
    this.#removeTimeoutListener();
    this.#freeParser();
    this.#connection.detachSocket();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (request.listenerCount(event) === 0) return void socket.destroy();
    this.#isUpgraded = true;
    socket.emit("agentRemove");
    socket.httpMessage = null;
    // The stream is as if it had never been read, so that it flows only when the listener reads it.
    Object.assign(socket, { readableFlowing: null });
    request.emit(event, response, socket, firstBytes);
    request.destroyed = true;
    request.emitClose();
  }

  /** Takes a response whose head is complete. */
  receiveResponse(response: IncomingMessage, keepsAlive: boolean): HeadAction {
    const { socket } = this;
    const request = this.#request;
    if (request.res !== null) {
      // A second response to one request: the server cannot be trusted.
      socket.destroy();
      request.res.skipsData = true;
      if (this.#parser !== null) this.#parser.incoming = request.res;
      return READ_BODY;
    }
    request.res = response;
    if (response.upgrade) return LEAVE_HTTP;
    if (request.method === "CONNECT") {
      response.upgrade = true;
      return LEAVE_HTTP;
    }
    if (isInformational(response)) {
      request.res = null;
      if (response.statusCode === 100) request.emit("continue");
      request.emit("information", response);
      return SKIP_BODY;
    }
    if (!keepsAlive && !this.#isUpgraded) request.shouldKeepAlive = false;
    response.req = request;
    response.on("end", () => this.#onResponseEnd(response));
    request.on("finish", () => {
      if (!this.hasEnded || request.destroyed) return;
      if (request.shouldKeepAlive) this.#keepConnection();
      else if (socket.writable) endSoon(socket);
    });
    if (request.aborted || !request.emit("response", response)) response.dump();
    if (request.method === "HEAD") return SKIP_BODY;
    if (response.statusCode !== 304) return READ_BODY;
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
    this.hasEnded = true;
    if (!request.shouldKeepAlive) {
      if (socket.writable) endSoon(socket);
    } else if (request.writableFinished && !response.aborted) this.#keepConnection();
  }

  /** Gives the connection back to the agent, after the other listeners for the end of the response were called. */
  #keepConnection(): void {
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
    request.destroyed = true;
    if (request.res !== null) request.res.socket = null;
  }
}

/** Returns true for a response that precedes the final one (RFC 9110, 15.2). 101 is final: it ends HTTP on the connection. */
function isInformational({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

/** Returns the error of a connection that ends without a response. */
export function hangUp(): Error {
  return codedError("ECONNRESET", "socket hang up");
}
