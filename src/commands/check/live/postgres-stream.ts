/** The messages of PostgreSQL's protocol (version 3) on a socket. */
import { once } from "node:events";
import type { Socket } from "node:net";

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** The server closes the connection or violates the protocol. `code` is the system's, or a description. */
export class ProtocolError extends Error {
  readonly code: string;
  constructor(code: string) {
    super("the protocol is violated");
    this.code = code;
  }
}

/** Limit of a message during a login. */
const MAX_LENGTH = 65_536;

export class MessageStream {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(type: string, body: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from(type, "latin1"), uint32(body.length + 4), body]));
  }

  /** @throws ProtocolError */
  async receive(): Promise<Message> {
    const head = await this.take(5);
    const length = head.readUInt32BE(1);
    if (length < 4 || length > MAX_LENGTH) throw new ProtocolError("the answer is not PostgreSQL's protocol");
    return { type: head.toString("latin1", 0, 1), body: await this.take(length - 4) };
  }

  /** Reads exactly `count` bytes. @throws ProtocolError */
  async take(count: number): Promise<Buffer> {
    const socket = this.#socket;
    while (this.#rest.length < count) {
      const chunk: unknown = socket.read();
      if (Buffer.isBuffer(chunk)) this.#rest = Buffer.concat([this.#rest, chunk]);
      else if (socket.readableEnded || socket.destroyed) throw new ProtocolError("the connection was closed");
      else await this.#more();
    }
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  /** Waits until data arrives or the connection ends. */
  async #more(): Promise<void> {
    const done = new AbortController();
    const { signal } = done;
    try {
      const events = ["readable", "end", "close"].map((event) => once(this.#socket, event, { signal }));
      await Promise.race(events);
    } finally {
      done.abort();
    }
  }

  /** True if more bytes have arrived than were taken. */
  get hasRest(): boolean {
    return this.#rest.length > 0;
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
