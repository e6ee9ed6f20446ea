/**
 * Reads and writes the messages of PostgreSQL's protocol for `check --live`. A message begins with one letter, its type,
 * and four bytes with its length, which includes these four bytes but not the letter. With `R 00000008 00000003`, for
 * example, the server requests the password in plain text.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { once } from "node:events";
import type * as net from "node:net";

/** The server has closed the connection, or does not keep to the protocol. The message is shown to the user. */
export class ProtocolError extends Error {}

export interface ServerMessage {
  /** One letter, such as `R` for authentication or `E` for an error. */
  readonly type: string;
  readonly body: Buffer;
}

const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;

/** The limit keeps a server from filling the memory. The messages of a login are much shorter. */
const MAX_MESSAGE_BYTES = 65_536;

/** Sends a message with a type. The startup message has none: {@link sendStartup}. */
export function sendMessage(socket: net.Socket, type: string, body: Buffer): void {
  socket.write(Buffer.concat([Buffer.from(type), uint32(body.length + LENGTH_BYTES), body]));
}

/**
 * Sends the first message of a login, which requests protocol version 3.0.
 *
 * @param parameters alternately the name and the value of each parameter: `user`, `me`, `database`, `app`
 */
export function sendStartup(socket: net.Socket, parameters: readonly string[]): void {
  const version = Buffer.from([0, 3, 0, 0]);
  // An empty text ends the list.
  const body = Buffer.concat([version, ...[...parameters, ""].map(zeroTerminated)]);
  socket.write(Buffer.concat([uint32(body.length + LENGTH_BYTES), body]));
}

/** Reads the next message. @throws ProtocolError, and the system's errors */
export async function readMessage(socket: net.Socket): Promise<ServerMessage> {
  const header = await readBytes(socket, TYPE_BYTES + LENGTH_BYTES);
  const length = header.readUInt32BE(TYPE_BYTES);
  if (length < LENGTH_BYTES || length > MAX_MESSAGE_BYTES) throw new ProtocolError(NOT_POSTGRESQL);
  return { type: header.toString("latin1", 0, TYPE_BYTES), body: await readBytes(socket, length - LENGTH_BYTES) };
}

export const NOT_POSTGRESQL = "the answer is not PostgreSQL's protocol";
export const CONNECTION_CLOSED = "the connection was closed";

/** Reads exactly this number of bytes. @throws ProtocolError, and the system's errors */
export async function readBytes(socket: net.Socket, byteCount: number): Promise<Buffer> {
  if (byteCount === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes: unknown = socket.read(byteCount);
    if (Buffer.isBuffer(bytes) && bytes.length === byteCount) return bytes;
    // The last read of a connection that has ended returns fewer bytes.
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new ProtocolError(CONNECTION_CLOSED);
    await once(socket, "readable");
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function zeroTerminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
