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

/** A connection that sends more requests behind a refused one is closed, answered or not. */
const MOST_BEHIND = 16;

export class Turns {
  readonly #latest = new WeakMap<Duplex, Forwarded>();
  /** The number of requests behind the refused one. */
  readonly #refused = new WeakMap<Duplex, number>();

  forwarded(connection: Duplex, forwarded: Forwarded): void {
    this.#latest.set(connection, forwarded);
  }

  /** Returns the last request of the connection that was forwarded, unless its answer is complete. */
  underWay(connection: Duplex): Forwarded | undefined {
    const latest = this.#latest.get(connection);
    return latest?.response.closed === false ? latest : undefined;
  }

  /** Returns true if a request has come behind a refused one. */
  isOver(connection: Duplex): boolean {
    return (this.#refused.get(connection) ?? 0) > 0;
  }

  /** Requests behind a refused one get no answer: its connection ends (RFC 9112, 9.6). */
  refuse(connection: Duplex): void {
    this.#refused.set(connection, this.#refused.get(connection) ?? 0);
  }

  /**
   * Returns true for a request behind a refused one. Each has its objects until the connection ends, which may wait for a late
   * answer: a client that sends thousands would fill the memory.
   */
  isBehind(connection: Duplex): boolean {
    const count = this.#refused.get(connection);
    if (count === undefined) return false;
    this.#refused.set(connection, count + 1);
    if (count >= MOST_BEHIND && this.underWay(connection) === undefined) connection.destroy();
    return true;
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
