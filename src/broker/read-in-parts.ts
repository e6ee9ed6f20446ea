/**
 * Passes the bytes of a connection to the HTTP parser in small parts, until the client has shown a key.
 *
 * Node.js reads up to 64 KiB at once, and its parser makes objects for each request in them, without a way to stop it. 250
 * connections that send `GET /` thousands of times would cost 1.4 GB and a minute of processor time, although the broker refuses
 * the first request of each. Between two small parts, the broker can drop the rest.
 */
import type { Socket } from "node:net";

/** The length of a part, which has room for some 50 requests. */
const PART_BYTES = 1024;

interface ReadingState {
  /** Returns true if a request of the connection was admitted. From then on, all bytes are passed on at once. */
  readonly hasShownKey: () => boolean;
  /** Returns true if further bytes must be dropped. */
  readonly mustDropBytes: () => boolean;
}

const ignoreChunk = (): void => {};

/**
 * Makes a socket pass on its bytes in small parts. Must be called after the server's own `connection` listener, which attaches the
 * parser to the socket.
 */
export function readInParts(socket: Socket, { hasShownKey, mustDropBytes }: ReadingState): void {
  // As long as a socket never had a `data` listener, the parser reads the descriptor itself, past `push`.
  socket.on("data", ignoreChunk).off("data", ignoreChunk);
  // The server may handle a socket as a new connection a second time (`handleUpgrade` of receive.ts).
  if (Object.hasOwn(socket, "push")) return;
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding) => {
    if (!Buffer.isBuffer(chunk)) return push(chunk, encoding);
    let hasRoom = true;
    let start = 0;
    while (start < chunk.length && !mustDropBytes()) {
      const end = hasShownKey() ? chunk.length : start + PART_BYTES;
      hasRoom = push(chunk.subarray(start, end));
      start = end;
    }
    return hasRoom;
  };
}
