/**
 * The connection below a message of node:http, and the ways in which HTTP reads it and ends it. It is a socket of node:net or of
 * node:tls, or any other duplex stream that `createConnection` returned, which lacks the optional members.
 */
import type { Duplex } from "../stream.ts";

export interface HttpSocket extends InstanceType<typeof Duplex> {
  readonly connecting?: boolean;
  readonly timeout?: number;
  /** The message that is being sent. */
  httpMessage?: object | null;
  /** The ClientConnection that reads the responses. It stays with the socket from one request to the next. */
  clientConnection?: object | undefined;
  hadError?: boolean;
  /** A server has stopped reading until the client has received responses. */
  waitsForResponses?: boolean;
  setTimeout?(ms: number, callback?: () => void): unknown;
  setKeepAlive?(on: boolean, delay: number): unknown;
  setNoDelay?(on: boolean): unknown;
  destroySoon?(): void;
  hasInput?(): boolean;
  readonly isConsumed?: boolean;
  startConsuming?(consumer: (bytes: Buffer) => void): void;
  continueConsuming?(goesOn: boolean): void;
  stopConsuming?(): void;
  ref?(): unknown;
  unref?(): unknown;
}

type Consumer = (bytes: Buffer) => void;

/** Gives all bytes that come to a parser. A socket of node:net does so past its stream, as in Node.js, which is faster. */
export function consume(socket: HttpSocket, consumer: Consumer): void {
  if (socket.startConsuming !== undefined && socket.readableLength === 0) return socket.startConsuming(consumer);
  if (!socket.listeners("data").includes(consumer)) socket.on("data", consumer);
}

/** Ends `consume`: the stream has the bytes that come now. */
export function release(socket: HttpSocket, consumer: Consumer): void {
  socket.stopConsuming?.();
  socket.removeListener("data", consumer);
}

/** Reads on, unless a server waits for its client to receive responses. */
export function readStart(socket: HttpSocket | null): void {
  if (socket === null || socket.waitsForResponses === true) return;
  if (socket.isConsumed === true) socket.continueConsuming?.(true);
  else if (socket.readable) socket.resume();
}

/** Pauses reading, because the reader of a body is slow or because responses wait. */
export function readStop(socket: HttpSocket | null): void {
  if (socket?.isConsumed === true) socket.continueConsuming?.(false);
  else socket?.pause();
}

/** Ends a connection when everything is written. */
export function endSoon(socket: HttpSocket): void {
  if (socket.destroySoon === undefined) socket.end();
  else socket.destroySoon();
}
