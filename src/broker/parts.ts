/**
 * Passes what a connection sends to the HTTP parser in small parts until its client has shown a key.
 *
 * Node.js reads up to 64 KiB at once, and its parser cannot be stopped within them: it makes objects for each request. 250
 * connections that send `GET /` thousands of times cost 1.4 GB and a minute of processor time, though the broker refuses the
 * first request of each. Between two small parts, the broker can drop the rest.
 */
import type { Socket } from "node:net";

/** A part has room for some 50 requests. */
const PART_BYTES = 1024;

interface ReadingState {
  /** Returns true once a request of the connection was admitted: then everything is passed on at once. */
  readonly isKnown: () => boolean;
  /** Returns true if further bytes must be dropped. */
  readonly isOver: () => boolean;
}

const ignore = (): void => {};

/** Must be called after the server's own `connection` listener, which attaches the parser to the socket. */
export function readInParts(socket: Socket, { isKnown, isOver }: ReadingState): void {
  // As long as a socket never had a `data` listener, the parser reads the descriptor itself, past `push`.
  socket.on("data", ignore).off("data", ignore);
  if (Object.hasOwn(socket, "push")) return;
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding) => {
    if (!Buffer.isBuffer(chunk)) return push(chunk, encoding);
    let hasRoom = true;
    let start = 0;
    while (start < chunk.length && !isOver()) {
      const end = isKnown() ? chunk.length : start + PART_BYTES;
      hasRoom = push(chunk.subarray(start, end));
      start = end;
    }
    return hasRoom;
  };
}
