import type { Duplex } from "../stream.ts";

/** A connection: a socket of node:net, or any other stream. */
export interface HttpSocket extends InstanceType<typeof Duplex> {
  readonly connecting?: boolean;
  readonly timeout?: number;
  /** The message that is being sent. */
  httpMessage?: object | null;
  /** The object that reads a client's connection for its requests. */
  httpLink?: object | undefined;
  hadError?: boolean;
  /** A server has stopped reading, since answers wait. */
  waitsForAnswers?: boolean;
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

/** Gives all that comes to a parser. A socket does not make a stream of it, as in Node.js. */
export function consume(socket: HttpSocket, consumer: Consumer): void {
  if (socket.startConsuming !== undefined && socket.readableLength === 0) return socket.startConsuming(consumer);
  if (!socket.listeners("data").includes(consumer)) socket.on("data", consumer);
}

/** Ends that. */
export function release(socket: HttpSocket, consumer: Consumer): void {
  socket.stopConsuming?.();
  socket.removeListener("data", consumer);
}

export function readStart(socket: HttpSocket | null): void {
  if (socket === null || socket.waitsForAnswers === true) return;
  if (socket.isConsumed === true) socket.continueConsuming?.(true);
  else if (socket.readable) socket.resume();
}

export function readStop(socket: HttpSocket | null): void {
  if (socket?.isConsumed === true) socket.continueConsuming?.(false);
  else socket?.pause();
}

/** Ends a connection when everything is written. */
export function endSoon(socket: HttpSocket): void {
  if (socket.destroySoon === undefined) socket.end();
  else socket.destroySoon();
}
