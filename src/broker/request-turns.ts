/**
 * Keeps track of the order of requests on each connection of a client. A client may send the next requests before the first one is
 * answered (pipelining, RFC 9112, 9.3.2). Answers go out in the order of the requests. After a refusal the connection ends, so that
 * requests behind a refused one get no answer.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Exchange } from "./exchange.ts";

/** A request that was passed on to its service. */
export interface RequestUnderWay {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  /** Ends the request at the service. */
  readonly abort: () => void;
}

/** A connection that sends more requests than this behind a refused one is closed, even before the refusal was sent. */
const MAX_REQUESTS_BEHIND = 16;

/** The order of the requests on all connections to one server. */
export class RequestTurns {
  readonly #latestForwarded = new WeakMap<Duplex, RequestUnderWay>();
  /** The number of requests behind the refused request of a connection. Has only connections with such a request. */
  readonly #requestsBehind = new WeakMap<Duplex, number>();

  /** Notes that a request was passed on to its service. Must be called in the order in which the connection's requests arrived. */
  noteForwarded(connection: Duplex, requestUnderWay: RequestUnderWay): void {
    this.#latestForwarded.set(connection, requestUnderWay);
  }

  /** Returns the latest request of the connection that was passed on, unless its answer is complete. */
  findUnderWay(connection: Duplex): RequestUnderWay | undefined {
    const latest = this.#latestForwarded.get(connection);
    return latest?.response.closed === false ? latest : undefined;
  }

  /** Returns true if a request came after a refused one on this connection, so that no further bytes need to be read. */
  hasRequestBehindRefusal(connection: Duplex): boolean {
    return (this.#requestsBehind.get(connection) ?? 0) > 0;
  }

  /** Notes that a request was refused. Later requests of its connection get no answer (RFC 9112, 9.6). */
  noteRefusal(connection: Duplex): void {
    this.#requestsBehind.set(connection, this.#requestsBehind.get(connection) ?? 0);
  }

  /**
   * Returns true for a request behind a refused one, and counts it. The objects of such a request stay until the connection ends,
   * which may wait for a late answer: without a limit, a client that sends thousands would fill the memory.
   */
  countIfBehindRefusal(connection: Duplex): boolean {
    const count = this.#requestsBehind.get(connection);
    if (count === undefined) return false;
    this.#requestsBehind.set(connection, count + 1);
    if (count >= MAX_REQUESTS_BEHIND && this.findUnderWay(connection) === undefined) connection.destroy();
    return true;
  }

  /** Returns true if a request of the connection was refused. */
  hasRefusal(connection: Duplex): boolean {
    return this.#requestsBehind.has(connection);
  }

  /** Calls back once the earlier requests of a connection were answered; never if one of them was refused. */
  callInTurn(connection: Duplex, callback: () => void): void {
    if (this.hasRefusal(connection)) return;
    const earlier = this.findUnderWay(connection);
    if (earlier === undefined) callback();
    else earlier.response.once("close", () => connection.writable && callback());
  }
}
