/** A client's request on its connection, and the answer to it. */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { type Action, HttpParser } from "./parser.ts";
import { endSoon, type HttpSocket } from "./socket.ts";

/** The part of a request that an exchange uses. */
export interface Requester extends OutgoingMessage {
  readonly method: string;
  readonly aborted: boolean;
  readonly maxHeaderSize: number | undefined;
  readonly maxHeadersCount: number | null;
  res: IncomingMessage | null;
}

export class Exchange {
  readonly socket: HttpSocket;
  /** The answer has ended. */
  hasEnded = false;
  timeoutListener: (() => void) | undefined;
  readonly #request: Requester;
  #parser: HttpParser | null = null;
  #isUpgraded = false;

  constructor(request: Requester, socket: HttpSocket) {
    this.#request = request;
    this.socket = socket;
    socket.httpMessage = request;
    socket.on("error", this.#failed);
  }

  /** The request takes the connection. */
  begin(): void {
    const { socket } = this;
    const request = this.#request;
    request.socket = socket;
    socket.httpMessage = request;
    const limits = { maxHeaderSize: request.maxHeaderSize, maxFields: request.maxHeadersCount };
    this.#parser = new HttpParser(socket, false, limits, (response, keepsAlive) => this.#receive(response, keepsAlive));
    socket.on("data", this.#read).on("end", this.#inputEnded).on("close", this.#closed).on("drain", this.#drained);
  }

  /** Leaves the connection to the agent again. */
  giveBack(): void {
    this.socket.emit("free");
    this.socket.removeListener("error", this.#failed);
  }

  /** Ends reading the connection, which has ended, or has something else to do. */
  #leave(): void {
    this.socket.removeListener("data", this.#read).removeListener("end", this.#inputEnded);
    this.socket.removeListener("drain", this.#drained);
  }

  #freeParser(): void {
    const parser = this.#parser;
    this.#parser = null;
    parser?.finish();
  }

  readonly #drained = (): void => this.#request.drained();

  readonly #answerTimedOut = (): void => void this.#request.res?.emit("timeout");

  readonly #failed = (error: Error): void => {
    const { socket } = this;
    socket.hadError = true;
    this.#request.emit("error", error);
    this.#freeParser();
    this.#leave();
    socket.destroy();
  };

  /** The connection has ended without an answer. */
  #hangUp(): void {
    if (this.socket.hadError === true) return;
    this.socket.hadError = true;
    this.#request.emit("error", hangUp());
  }

  readonly #closed = (): void => {
    const request = this.#request;
    const { res } = request;
    request.destroyed = true;
    if (res === null) {
      this.#hangUp();
      request.emitClose();
    } else {
      if (!res.complete) res.destroy(codedError("ECONNRESET", "aborted"));
      request.emitClose();
      if (!res.aborted && res.readable) res.push(null);
    }
    request.dropPending();
    this.#freeParser();
  };

  readonly #inputEnded = (): void => {
    if (this.#request.res === null) this.#hangUp();
    this.#freeParser();
    this.socket.destroy();
  };

  readonly #read = (bytes: Uint8Array): void => {
    const { socket } = this;
    const parser = this.#parser;
    if (parser === null) return;
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (result instanceof Error) {
      this.#parser = null;
      this.#leave();
      socket.destroy();
      socket.hadError = true;
      this.#request.emit("error", result);
    } else if (incoming?.upgrade === true) this.#handOver(incoming, bytes.subarray(result));
    else if (incoming?.complete === true && !isInformation(incoming)) {
      this.#leave();
      this.#parser = null;
    }
  };

  /** Hands the connection over to another protocol. */
  #handOver(response: IncomingMessage, first: Uint8Array): void {
    const { socket } = this;
    const request = this.#request;
    request.res = response;
    this.#leave();
    this.#endTimeouts();
    this.#freeParser();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (request.listenerCount(event) === 0) return void socket.destroy();
    this.#isUpgraded = true;
    socket.emit("agentRemove");
    socket.removeListener("close", this.#closed).removeListener("error", this.#failed);
    socket.httpMessage = null;
    // Whoever takes it begins to read.
    Object.assign(socket, { readableFlowing: null });
    request.emit(event, response, socket, first);
    request.destroyed = true;
    request.emitClose();
  }

  #receive(response: IncomingMessage, keepsAlive: boolean): Action {
    const { socket } = this;
    const request = this.#request;
    if (request.res !== null) {
      // A second answer.
      socket.destroy();
      request.res.skipsData = true;
      if (this.#parser !== null) this.#parser.incoming = request.res;
      return 0;
    }
    request.res = response;
    if (response.upgrade) return 2;
    if (request.method === "CONNECT") {
      response.upgrade = true;
      return 2;
    }
    if (isInformation(response)) {
      request.res = null;
      if (response.statusCode === 100) request.emit("continue");
      request.emit("information", response);
      return 1;
    }
    if (!keepsAlive && !this.#isUpgraded) request.shouldKeepAlive = false;
    response.req = request;
    response.on("end", () => this.#answerEnded(response));
    request.on("finish", () => {
      if (request.shouldKeepAlive && this.hasEnded && !request.destroyed) this.#keep();
    });
    socket.on("timeout", this.#answerTimedOut);
    if (request.aborted || !request.emit("response", response)) response.dump();
    if (request.method === "HEAD") return 1;
    if (response.statusCode !== 304) return 0;
    response.complete = true;
    return 1;
  }

  #endTimeouts(): void {
    if (this.timeoutListener !== undefined) this.socket.removeListener("timeout", this.timeoutListener);
    this.socket.removeListener("timeout", this.#answerTimedOut);
  }

  #answerEnded(response: IncomingMessage): void {
    const { socket } = this;
    const request = this.#request;
    this.#endTimeouts();
    this.hasEnded = true;
    if (!request.shouldKeepAlive) {
      if (socket.writable) endSoon(socket);
    } else if (request.writableFinished && !response.aborted) this.#keep();
  }

  /** Gives the connection back to the agent, behind the listeners for the end of the answer. */
  #keep(): void {
    const { socket } = this;
    const request = this.#request;
    if (this.timeoutListener !== undefined) {
      socket.setTimeout?.(0, this.timeoutListener);
      this.timeoutListener = undefined;
    }
    socket.removeListener("close", this.#closed).removeListener("error", this.#failed);
    this.#leave();
    nextTick(() => {
      request.emitClose();
      socket.emit("free");
    });
    request.destroyed = true;
    if (request.res !== null) request.res.socket = null;
  }
}

/** 101 is the end of HTTP; others precede the answer. */
function isInformation({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

export function hangUp(): Error {
  return codedError("ECONNRESET", "socket hang up");
}
