/** A client's request on its connection, and the answer to it. */
import { codedError } from "../../errors.ts";
import { nextTick } from "../../loop.ts";
import type { IncomingMessage } from "./incoming.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { type Action, HttpParser, type ParserLimits } from "./parser.ts";
import { consume, endSoon, type HttpSocket, release } from "./socket.ts";

/** The part of a request that an exchange uses. */
export interface Requester extends OutgoingMessage {
  readonly method: string;
  readonly aborted: boolean;
  readonly maxHeaderSize: number | undefined;
  readonly maxHeadersCount: number | null;
  res: IncomingMessage | null;
}

/** A client's connection, on which one exchange follows the other: its listeners stay. */
class Link {
  /** The exchange that the connection belongs to. */
  current: Exchange | undefined;
  /** An agent keeps it for the next request. */
  isIdle = false;
  #parser: HttpParser | undefined;
  #limits: ParserLimits | undefined;
  readonly #socket: HttpSocket;

  constructor(socket: HttpSocket) {
    this.#socket = socket;
    socket.on("error", this.#failed).on("close", this.#closed).on("drain", this.#drained);
    socket.on("end", this.#ended).on("timeout", this.#timedOut);
  }

  /** Begins to read, or goes on with it. */
  read(): void {
    consume(this.#socket, this.#read);
  }

  /** Ends the link: the connection is for another protocol. */
  end(): void {
    const socket = this.#socket;
    socket.httpLink = undefined;
    release(socket, this.#read);
    socket.removeListener("error", this.#failed).removeListener("close", this.#closed);
    socket.removeListener("drain", this.#drained).removeListener("end", this.#ended);
    socket.removeListener("timeout", this.#timedOut);
  }

  /** Returns the parser of the answer before, if that one was whole and has these limits, or a new one. */
  parserFor(limits: ParserLimits): HttpParser {
    const { maxHeaderSize, maxFields } = limits;
    const last = this.#limits;
    if (this.#parser === undefined || last?.maxHeaderSize !== maxHeaderSize || last?.maxFields !== maxFields) {
      this.#limits = limits;
      this.#parser = new HttpParser(this.#socket, false, limits, this.#receive);
    }
    this.#parser.incoming = null;
    return this.#parser;
  }

  /** The parser is not used again. */
  dropParser(): void {
    this.#parser = undefined;
  }

  readonly #receive = (response: IncomingMessage, keepsAlive: boolean): Action =>
    this.current?.receive(response, keepsAlive) ?? 0;

  readonly #read = (bytes: Uint8Array): void => {
    // Bytes that come without a request are not the answer to the next one.
    if (this.isIdle) this.#socket.destroy();
    else this.current?.read(bytes);
  };

  readonly #failed = (error: Error): void => {
    if (!this.isIdle) return this.current?.failed(error);
    this.#socket.destroy();
    this.#socket.emit("agentRemove");
  };

  readonly #closed = (): void => this.current?.closed();
  readonly #drained = (): void => this.current?.drained();
  readonly #ended = (): void => this.current?.inputEnded();
  readonly #timedOut = (): void => this.current?.timedOut();
}

function linkOf(socket: HttpSocket): Link {
  if (socket.httpLink instanceof Link) return socket.httpLink;
  const link = new Link(socket);
  socket.httpLink = link;
  return link;
}

/** Notes that a connection waits for the next request, or does not any more. */
export function setIdle(socket: HttpSocket, isIdle: boolean): void {
  linkOf(socket).isIdle = isIdle;
}

export class Exchange {
  readonly socket: HttpSocket;
  /** The answer has ended. */
  hasEnded = false;
  timeoutListener: (() => void) | undefined;
  readonly #request: Requester;
  readonly #link: Link;
  #parser: HttpParser | null = null;
  #isUpgraded = false;
  /** The answer, or the end of the connection, is waited for. */
  #isReading = false;

  constructor(request: Requester, socket: HttpSocket) {
    this.#request = request;
    this.socket = socket;
    socket.httpMessage = request;
    this.#link = linkOf(socket);
    this.#link.current = this;
  }

  /** The request takes the connection. */
  begin(): void {
    const { socket } = this;
    const request = this.#request;
    request.socket = socket;
    socket.httpMessage = request;
    const limits = { maxHeaderSize: request.maxHeaderSize, maxFields: request.maxHeadersCount };
    this.#parser = this.#link.parserFor(limits);
    this.#isReading = true;
    this.#link.read();
  }

  /** Leaves the connection to the agent again. */
  giveBack(): void {
    this.#detach();
    this.socket.emit("free");
  }

  /** Ends reading the connection, which has ended, or has something else to do. */
  #leave(): void {
    this.#isReading = false;
  }

  /** The connection belongs to another exchange, or to none. */
  #detach(): void {
    if (this.#link.current === this) this.#link.current = undefined;
  }

  #freeParser(): void {
    const parser = this.#parser;
    if (parser === null) return;
    this.#parser = null;
    this.#link.dropParser();
    parser.finish();
  }

  drained(): void {
    if (this.#isReading) this.#request.drained();
  }

  timedOut(): void {
    if (!this.hasEnded) this.#request.res?.emit("timeout");
  }

  failed(error: Error): void {
    const { socket } = this;
    socket.hadError = true;
    this.#request.emit("error", error);
    this.#freeParser();
    this.#leave();
    socket.destroy();
  }

  /** The connection has ended without an answer. */
  #hangUp(): void {
    if (this.socket.hadError === true) return;
    this.socket.hadError = true;
    this.#request.emit("error", hangUp());
  }

  closed(): void {
    const request = this.#request;
    // Before it has begun, its owner knows of the end.
    if (request.socket !== this.socket) return;
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
  }

  inputEnded(): void {
    if (!this.#isReading) return;
    if (this.#request.res === null) this.#hangUp();
    this.#freeParser();
    this.socket.destroy();
  }

  read(bytes: Uint8Array): void {
    const { socket } = this;
    const parser = this.#parser;
    if (parser === null) return this.#spoil();
    const result = parser.execute(bytes);
    const { incoming } = parser;
    if (result instanceof Error) {
      this.#parser = null;
      this.#link.dropParser();
      this.#leave();
      socket.destroy();
      socket.hadError = true;
      this.#request.emit("error", result);
    } else if (incoming?.upgrade === true) this.#handOver(incoming, bytes.subarray(result));
    else if (incoming?.complete === true && !isInformation(incoming)) {
      this.#leave();
      this.#parser = null;
      if (parser.started !== undefined) this.#spoil();
    }
  }

  /** More has come than the answer. It is not the beginning of the next one, so that the connection is not kept. */
  #spoil(): void {
    this.#request.shouldKeepAlive = false;
  }

  /** Hands the connection over to another protocol. */
  #handOver(response: IncomingMessage, first: Uint8Array): void {
    const { socket } = this;
    const request = this.#request;
    request.res = response;
    this.#leave();
    this.#endTimeouts();
    this.#freeParser();
    this.#link.end();
    const event = request.method === "CONNECT" ? "connect" : "upgrade";
    if (request.listenerCount(event) === 0) return void socket.destroy();
    this.#isUpgraded = true;
    socket.emit("agentRemove");
    socket.httpMessage = null;
    // Whoever takes it begins to read.
    Object.assign(socket, { readableFlowing: null });
    request.emit(event, response, socket, first);
    request.destroyed = true;
    request.emitClose();
  }

  receive(response: IncomingMessage, keepsAlive: boolean): Action {
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
      if (!this.hasEnded || request.destroyed) return;
      if (request.shouldKeepAlive) this.#keep();
      else if (socket.writable) endSoon(socket);
    });
    if (request.aborted || !request.emit("response", response)) response.dump();
    if (request.method === "HEAD") return 1;
    if (response.statusCode !== 304) return 0;
    response.complete = true;
    return 1;
  }

  #endTimeouts(): void {
    if (this.timeoutListener !== undefined) this.socket.removeListener("timeout", this.timeoutListener);
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
    this.#detach();
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
