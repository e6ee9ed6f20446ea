/**
 * A client's connection, which is used for one exchange (exchange.ts) of a request and a response after another. Between two
 * exchanges the connection is idle, and an agent keeps it.
 *
 * The listeners of the socket and the parser stay for all exchanges, because setting them up takes as long as the rest of a
 * small exchange does.
 */
import type { IncomingMessage } from "./incoming.ts";
import { type HeadAction, HttpParser, type ParserLimits, READ_BODY } from "./parser.ts";
import { addConsumer, type HttpSocket, removeConsumer } from "./socket.ts";

/** The methods of an Exchange by which it learns what happens on its connection. */
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
  /** The exchange that uses the connection, and gets the events of the socket. The exchange sets it. */
  currentExchange: ConnectionExchange | undefined;
  /** True while an agent keeps the connection between two requests. The agent sets it. */
  isIdle = false;
  #parser: HttpParser | undefined;
  #parserLimits: ParserLimits | undefined;
  readonly #socket: HttpSocket;

  constructor(socket: HttpSocket) {
    this.#socket = socket;
    socket.on("error", this.#onError).on("close", this.#onClose).on("drain", this.#onDrain);
    socket.on("end", this.#onInputEnd).on("timeout", this.#onTimeout);
  }

  /** Starts to read the connection, or continues to. */
  startReading(): void {
    addConsumer(this.#socket, this.#readBytes);
  }

  /** Removes everything from the socket that reads HTTP, so that another protocol can use the socket. */
  detachSocket(): void {
    const socket = this.#socket;
    socket.clientConnection = undefined;
    removeConsumer(socket, this.#readBytes);
    socket.removeListener("error", this.#onError).removeListener("close", this.#onClose);
    socket.removeListener("drain", this.#onDrain).removeListener("end", this.#onInputEnd);
    socket.removeListener("timeout", this.#onTimeout);
  }

  /** Returns the parser of the previous exchange, or a new parser if that was dropped or has different limits. */
  prepareParser(limits: ParserLimits): HttpParser {
    const { maxHeaderSize, maxFields } = limits;
    const parserLimits = this.#parserLimits;
    const hasSameLimits = parserLimits?.maxHeaderSize === maxHeaderSize && parserLimits?.maxFields === maxFields;
    if (this.#parser === undefined || !hasSameLimits) {
      this.#parserLimits = limits;
      this.#parser = new HttpParser(this.#socket, "response", limits, this.#receiveResponse);
    }
    // The previous response, which is complete, must not be taken for the next one.
    this.#parser.currentMessage = null;
    return this.#parser;
  }

  /** Must be called if the parser has failed or has not read a whole response: such a parser cannot read another one. */
  dropParser(): void {
    this.#parser = undefined;
  }

  readonly #receiveResponse = (response: IncomingMessage, keepsAlive: boolean): HeadAction =>
    // A response that no exchange expects is read and ignored.
    this.currentExchange?.receiveResponse(response, keepsAlive) ?? READ_BODY;

  readonly #readBytes = (bytes: Uint8Array): void => {
    // Bytes that come while there is no request must not be taken for the response to the next one.
    if (this.isIdle) this.#socket.destroy();
    else this.currentExchange?.readBytes(bytes);
  };

  readonly #onError = (error: Error): void => {
    if (!this.isIdle) return this.currentExchange?.fail(error);
    this.#socket.destroy();
    // The agent looks for the socket among its idle ones only if the socket is not writable, so `destroy` comes first.
    this.#socket.emit("agentRemove");
  };

  readonly #onClose = (): void => this.currentExchange?.onClose();
  readonly #onDrain = (): void => this.currentExchange?.onDrain();
  readonly #onInputEnd = (): void => this.currentExchange?.onInputEnd();
  readonly #onTimeout = (): void => this.currentExchange?.onTimeout();
}

/** Returns the ClientConnection of a socket. The first call for a socket creates it, and begins to listen to the socket. */
export function clientConnectionOf(socket: HttpSocket): ClientConnection {
  if (socket.clientConnection instanceof ClientConnection) return socket.clientConnection;
  const connection = new ClientConnection(socket);
  socket.clientConnection = connection;
  return connection;
}
