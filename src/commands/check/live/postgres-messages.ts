/**
 * The messages of PostgreSQL's protocol. Each begins with a letter for its type and a length, which counts itself but not the
 * letter. The server requests a password in clear text with `R 00000008 00000003`.
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

/** The letter and the length. */
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** Keeps a server from filling the memory. The messages of a login are much shorter. */
const MAX_MESSAGE_BYTES = 65_536;

/** Sends a message with a type. The startup message has none: {@link sendStartup}. */
export function sendMessage(socket: net.Socket, type: string, body: Buffer): void {
  socket.write(Buffer.concat([Buffer.from(type), uint32(body.length + LENGTH_BYTES), body]));
}

/** Requests protocol version 3.0 with parameters such as `user`, `me`, `database`, `app`. */
export function sendStartup(socket: net.Socket, parameters: readonly string[]): void {
  const version = Buffer.from([0, 3, 0, 0]);
  const body = Buffer.concat([version, ...[...parameters, ""].map(zeroTerminated)]);
  socket.write(Buffer.concat([uint32(body.length + LENGTH_BYTES), body]));
}

/** Reads the next message. @throws ProtocolError, and the system's errors */
export async function readMessage(socket: net.Socket): Promise<ServerMessage> {
  const header = await readBytes(socket, HEADER_BYTES);
  const length = header.readUInt32BE(1);
  if (length < LENGTH_BYTES || length > MAX_MESSAGE_BYTES) throw new ProtocolError(NOT_POSTGRESQL);
  return { type: header.toString("latin1", 0, 1), body: await readBytes(socket, length - LENGTH_BYTES) };
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
