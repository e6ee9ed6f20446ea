/**
 * Reads a connection in small parts until its client has shown a key. The parser of Node.js makes objects for each request of
 * the up to 64 KiB that it reads at once, and cannot be stopped within them: from 250 connections that send `GET /` thousands
 * of times, 1.4 GB and a minute of processor time, though the first request of each is refused.
 */
import type { Socket } from "node:net";

/** In bytes. Some 50 requests. */
const PART = 1024;

interface ReadingState {
  /** A request was admitted: all is read at once. */
  readonly isKnown: () => boolean;
  /** Further bytes are dropped. */
  readonly isOver: () => boolean;
}

const ignore = (): void => {};

/** Must be called behind the server's own listener for new connections. */
export function readInParts(socket: Socket, { isKnown, isOver }: ReadingState): void {
  // With a listener the bytes come by `push`; without one the parser reads the descriptor itself.
  socket.on("data", ignore).off("data", ignore);
  if (Object.hasOwn(socket, "push")) return;
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding) => {
    if (!Buffer.isBuffer(chunk)) return push(chunk, encoding);
    let mayGoOn = true;
    let from = 0;
    while (from < chunk.length && !isOver()) {
      const end = isKnown() ? chunk.length : from + PART;
      mayGoOn = push(chunk.subarray(from, end));
      from = end;
    }
    return mayGoOn;
  };
}
