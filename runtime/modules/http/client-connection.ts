/**
 * A client's connection, on which one exchange of a request and its response follows the other. The listeners of the socket and
 * the parser stay from one exchange to the next, because setting them up for each request would cost as much as the rest.
 *
 * Between two exchanges an agent keeps the connection, which is then idle.
 */
import type { IncomingMessage } from "./incoming.ts";
import { type HeadAction, HttpParser, type ParserLimits, READ_BODY } from "./parser.ts";
import { consume, type HttpSocket, release } from "./socket.ts";

/** The part of an Exchange (exchange.ts) that gets what happens on its connection. */
interface ConnectionExchange {
  receiveResponse(response: IncomingMessage, keepsAlive: boolean): HeadAction;
  readBytes(bytes: Uint8Array): void;
  fail(error: Error): void;
  onClose(): void;
  onDrain(): void;
  onInputEnd(): void;
  onTimeout(): void;
}

export class ClientConnection {
  /** The exchange that has the connection. Events of the socket are passed on to it. */
  currentExchange: ConnectionExchange | undefined;
  /** An agent keeps the connection for the next request. */
  isIdle = false;
  #parser: HttpParser | undefined;
  #parserLimits: ParserLimits | undefined;
  readonly #socket: HttpSocket;

  constructor(socket: HttpSocket) {
    this.#socket = socket;
    socket.on("error", this.#onError).on("close", this.#onClose).on("drain", this.#onDrain);
    socket.on("end", this.#onInputEnd).on("timeout", this.#onTimeout);
  }

  /** Begins to read the connection, or goes on with it. */
  startReading(): void {
    consume(this.#socket, this.#readBytes);
  }

  /** Removes everything from the socket, which from now on belongs to another protocol. */
  detachSocket(): void {
    const socket = this.#socket;
    socket.clientConnection = undefined;
    release(socket, this.#readBytes);
    socket.removeListener("error", this.#onError).removeListener("close", this.#onClose);
    socket.removeListener("drain", this.#onDrain).removeListener("end", this.#onInputEnd);
    socket.removeListener("timeout", this.#onTimeout);
  }

  /** Returns the parser of the exchange before, unless that was dropped or has other limits; otherwise a new one. */
  parserFor(limits: ParserLimits): HttpParser {
    const { maxHeaderSize, maxFields } = limits;
    const present = this.#parserLimits;
    const hasLimits = present?.maxHeaderSize === maxHeaderSize && present?.maxFields === maxFields;
    if (this.#parser === undefined || !hasLimits) {
      this.#parserLimits = limits;
      this.#parser = new HttpParser(this.#socket, false, limits, this.#receiveResponse);
    }
    this.#parser.incoming = null;
    return this.#parser;
  }

  /** Must be called for a parser that has failed or has not read a whole response: it cannot read another one. */
  dropParser(): void {
    this.#parser = undefined;
  }

  readonly #receiveResponse = (response: IncomingMessage, keepsAlive: boolean): HeadAction =>
    this.currentExchange?.receiveResponse(response, keepsAlive) ?? READ_BODY;

  readonly #readBytes = (bytes: Uint8Array): void => {
    // Bytes that come while there is no request must not be taken for the response to the next one.
    if (this.isIdle) this.#socket.destroy();
    else this.currentExchange?.readBytes(bytes);
  };

  readonly #onError = (error: Error): void => {
    if (!this.isIdle) return this.currentExchange?.fail(error);
    this.#socket.destroy();
    this.#socket.emit("agentRemove");
  };

  readonly #onClose = (): void => this.currentExchange?.onClose();
  readonly #onDrain = (): void => this.currentExchange?.onDrain();
  readonly #onInputEnd = (): void => this.currentExchange?.onInputEnd();
  readonly #onTimeout = (): void => this.currentExchange?.onTimeout();
}

/** Returns the connection that belongs to a socket. The first call for a socket begins to listen to it. */
export function clientConnectionOf(socket: HttpSocket): ClientConnection {
  if (socket.clientConnection instanceof ClientConnection) return socket.clientConnection;
  const connection = new ClientConnection(socket);
  socket.clientConnection = connection;
  return connection;
}
