/**
 * The connection below a message of node:http, and the functions by which HTTP reads and ends it. The connection is a socket of
 * node:net or node:tls, or any other duplex stream that `createConnection` returned. Such a stream lacks the optional members.
 */
import type { Duplex } from "../stream.ts";

export interface HttpSocket extends InstanceType<typeof Duplex> {
  readonly connecting?: boolean;
  readonly timeout?: number;
  /** The message that is being sent. */
  httpMessage?: object | null;
  /** The ClientConnection that reads the responses. It stays with the socket from one request to the next. */
  clientConnection?: object | undefined;
  /** True if the error that ends the connection was already emitted by the request or the TLSSocket. */
  hadError?: boolean;
  /** True while a server does not read requests, because too many responses wait to be sent. */
  waitsForResponses?: boolean;
  setTimeout?(ms: number, callback?: () => void): unknown;
  setKeepAlive?(on: boolean, delay: number): unknown;
  setNoDelay?(on: boolean): unknown;
  destroySoon?(): void;
  /** Returns true if there are bytes, an end or an error that the event loop has not reported yet. */
  hasInput?(): boolean;
  /** True while a consumer gets the bytes in place of the stream. */
  readonly isConsumed?: boolean;
  startConsuming?(consumer: Consumer): void;
  resumeConsuming?(): void;
  pauseConsuming?(): void;
  stopConsuming?(): void;
  ref?(): unknown;
  unref?(): unknown;
}

type Consumer = (bytes: Buffer) => void;

/** Gives all bytes that come to a consumer. A socket of node:net bypasses its stream for that, as in Node.js, which is faster. */
export function addConsumer(socket: HttpSocket, consumer: Consumer): void {
  // Bytes that the stream has buffered must reach the consumer first, so the stream goes on.
  if (socket.startConsuming !== undefined && socket.readableLength === 0) return socket.startConsuming(consumer);
  if (!socket.listeners("data").includes(consumer)) socket.on("data", consumer);
}

/** Lets the stream have the bytes that come from now on. */
export function removeConsumer(socket: HttpSocket, consumer: Consumer): void {
  socket.stopConsuming?.();
  socket.removeListener("data", consumer);
}

/** Resumes reading, unless a server waits until its client has received responses. */
export function resumeReading(socket: HttpSocket | null): void {
  if (socket === null || socket.waitsForResponses === true) return;
  if (socket.isConsumed === true) socket.resumeConsuming?.();
  else if (socket.readable) socket.resume();
}

/** Pauses reading, because the reader of a body is slow or because responses wait. */
export function pauseReading(socket: HttpSocket | null): void {
  if (socket?.isConsumed === true) socket.pauseConsuming?.();
  else socket?.pause();
}

/** Ends a connection when everything is written. */
export function endWhenWritten(socket: HttpSocket): void {
  if (socket.destroySoon === undefined) socket.end();
  else socket.destroySoon();
}

/** Returns true for an error of a socket, but not for the error by which `finished` only reports that the socket was destroyed. */
export function isSocketFailure(error: Error | null | undefined): error is Error {
  return error != null && !("code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE");
}
