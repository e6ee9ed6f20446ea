/**
 * Keeps track of the order of requests on each connection. A client may send the next requests before the first one is answered
 * (pipelining, RFC 9112, 9.3.2). Answers go out in the same order, and nothing is answered behind a refused request, whose
 * connection ends.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Exchange } from "./exchange.ts";

/** A request that was passed on to its service. */
export interface Forwarded {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  /** Ends the request at the service. */
  readonly giveUp: () => void;
}

/** If a connection sends more requests than this behind a refused one, it is closed, even before the answer was sent. */
const MAX_REQUESTS_BEHIND = 16;

export class Turns {
  readonly #latestForwarded = new WeakMap<Duplex, Forwarded>();
  /** By connection with a refused request: the number of requests behind it. */
  readonly #requestsBehind = new WeakMap<Duplex, number>();

  /** Must be called for each request that is passed on. */
  forwarded(connection: Duplex, forwarded: Forwarded): void {
    this.#latestForwarded.set(connection, forwarded);
  }

  /** Returns the last request of the connection that was forwarded, unless its answer is complete. */
  underWay(connection: Duplex): Forwarded | undefined {
    const latest = this.#latestForwarded.get(connection);
    return latest?.response.closed === false ? latest : undefined;
  }

  /** Returns true if a request has come behind a refused one. */
  isOver(connection: Duplex): boolean {
    return (this.#requestsBehind.get(connection) ?? 0) > 0;
  }

  /** Notes that a request was refused. Later requests of its connection get no answer (RFC 9112, 9.6). */
  refuse(connection: Duplex): void {
    this.#requestsBehind.set(connection, this.#requestsBehind.get(connection) ?? 0);
  }

  /**
   * Returns true for a request behind a refused one, and counts it. The objects of such a request stay until the connection ends,
   * which may wait for a late answer: without a limit, a client that sends thousands would fill the memory.
   */
  isBehind(connection: Duplex): boolean {
    const count = this.#requestsBehind.get(connection);
    if (count === undefined) return false;
    this.#requestsBehind.set(connection, count + 1);
    if (count >= MAX_REQUESTS_BEHIND && this.underWay(connection) === undefined) connection.destroy();
    return true;
  }

  isRefused(connection: Duplex): boolean {
    return this.#requestsBehind.has(connection);
  }

  /** Calls `act` once the earlier requests of a connection were answered; never if one of them was refused. */
  inTurn(connection: Duplex, act: () => void): void {
    if (this.isRefused(connection)) return;
    const earlier = this.underWay(connection);
    if (earlier === undefined) act();
    else earlier.response.once("close", () => connection.writable && act());
  }
}
