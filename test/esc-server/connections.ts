/** Numbers the TCP connections of the ESC server, and finds the connection of a request. */
import type { Server, Socket } from "node:net";

export interface Connection {
  /** Counted from 1 in the order of arrival. */
  readonly id: number;
  /** The TCP socket, beneath TLS if there is any. */
  readonly socket: Socket;
}

/** The TCP connections of a server. */
export class Connections {
  readonly #open = new Map<string, Connection>();
  #accepted = 0;

  constructor(server: Server) {
    // On a TLS server too this event brings the TCP socket, before the handshake.
    server.on("connection", (socket: Socket) => {
      this.#accepted += 1;
      const peer = peerOf(socket);
      this.#open.set(peer, { id: this.#accepted, socket });
      socket.once("close", () => this.#open.delete(peer));
    });
  }

  /** How many were accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#open.size;
  }

  /** The connection that carries `socket`, which may be the TLS socket upon it. */
  of(socket: Socket): Connection | undefined {
    return this.#open.get(peerOf(socket));
  }

  resetCount(): void {
    this.#accepted = 0;
  }

  destroyAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
