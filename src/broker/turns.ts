/** The requests of each connection, one after another: a connection may send the next ones before the first is answered. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Exchange } from "./exchange.ts";

export interface Forwarded {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  readonly giveUp: () => void;
}

export class Turns {
  readonly #latest = new WeakMap<Duplex, Forwarded>();
  readonly #refused = new WeakSet<Duplex>();

  forwarded(connection: Duplex, forwarded: Forwarded): void {
    this.#latest.set(connection, forwarded);
  }

  /** Returns the last request of the connection that was forwarded, unless its answer is complete. */
  underWay(connection: Duplex): Forwarded | undefined {
    const latest = this.#latest.get(connection);
    return latest?.response.closed === false ? latest : undefined;
  }

  /** Requests behind a refused one get no answer: its connection ends (RFC 9112, 9.6). */
  refuse(connection: Duplex): void {
    this.#refused.add(connection);
  }

  isRefused(connection: Duplex): boolean {
    return this.#refused.has(connection);
  }

  /** Acts when the earlier requests of a connection were answered. */
  inTurn(connection: Duplex, act: () => void): void {
    if (this.isRefused(connection)) return;
    const before = this.underWay(connection);
    if (before === undefined) act();
    else before.response.once("close", () => connection.writable && act());
  }
}
