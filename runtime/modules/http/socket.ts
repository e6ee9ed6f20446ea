import type { Duplex } from "../stream.ts";

/** A connection: a socket of node:net, or any other stream. */
export interface HttpSocket extends InstanceType<typeof Duplex> {
  readonly connecting?: boolean;
  readonly timeout?: number;
  /** The message that is being sent. */
  httpMessage?: object | null;
  hadError?: boolean;
  /** A server has stopped reading, since answers wait. */
  waitsForAnswers?: boolean;
  setTimeout?(ms: number, callback?: () => void): unknown;
  setKeepAlive?(on: boolean, delay: number): unknown;
  setNoDelay?(on: boolean): unknown;
  destroySoon?(): void;
  hasInput?(): boolean;
  ref?(): unknown;
  unref?(): unknown;
}

export function readStart(socket: HttpSocket | null): void {
  if (socket !== null && socket.waitsForAnswers !== true && socket.readable) socket.resume();
}

export function readStop(socket: HttpSocket | null): void {
  socket?.pause();
}

/** Ends a connection when everything is written. */
export function endSoon(socket: HttpSocket): void {
  if (socket.destroySoon === undefined) socket.end();
  else socket.destroySoon();
}
