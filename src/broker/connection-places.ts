/**
 * Limits the number of connections to the broker. Any process of this machine can open connections, and must not be able to keep
 * the program out by doing so. So connections that have shown a key are kept before others, and of the others the address with the
 * most of them loses one first.
 *
 * The server calls `takePlace` for each new connection, `mayBeginRequest` before it decides about a request, and `beginRequest` for
 * each admitted request.
 */
import type { Duplex } from "node:stream";

/**
 * The number of places, which is the limit on open connections. A connection with a request under way gets no further one while
 * this many requests are under way.
 */
export const MAX_CONNECTIONS = 256;

/** The use of one place. */
interface ConnectionUse {
  /** The number of admitted requests under way. A WebSocket counts until its end. */
  requestCount: number;
  /** True if a request of the connection was admitted, so that its client knows a dummy of this run. */
  hasShownKey: boolean;
}

export class ConnectionPlaces {
  readonly #maxPlaces: number;
  /** The connections that have a place, the oldest first. */
  readonly #places = new Map<Duplex, ConnectionUse>();

  constructor(maxPlaces: number) {
    this.#maxPlaces = maxPlaces;
  }

  /**
   * Gives a connection a place. If there is none, this closes an older connection that has no admitted request under way: it is
   * idle, sends its head slowly, or its request was refused.
   *
   * @returns false if each place has an admitted request under way
   */
  takePlace(connection: Duplex): boolean {
    if (this.#places.has(connection)) return true;
    if (this.#places.size >= this.#maxPlaces && !this.#freePlace()) return false;
    this.#places.set(connection, { requestCount: 0, hasShownKey: false });
    connection.once("close", () => this.#places.delete(connection)).on("error", () => {});
    return true;
  }

  /** Closes the oldest connection that never had an admitted request; if there is none, the oldest idle connection. */
  #freePlace(): boolean {
    const idleEntries = Array.from(this.#places).filter(([, { requestCount }]) => requestCount === 0);
    const withoutKey = idleEntries.filter(([, { hasShownKey }]) => !hasShownKey);
    // Only the address with the most of these connections loses one, so that an attacker at one address cannot displace the others.
    const countByAddress = new Map<unknown, number>();
    for (const [candidate] of withoutKey) {
      const address = clientAddressOf(candidate);
      countByAddress.set(address, (countByAddress.get(address) ?? 0) + 1);
    }
    const highestCount = Math.max(...countByAddress.values());
    const hasHighestCount = ([candidate]: readonly [Duplex, ConnectionUse]): boolean =>
      countByAddress.get(clientAddressOf(candidate)) === highestCount;
    const [connection] = withoutKey.find(hasHighestCount) ?? idleEntries[0] ?? [];
    if (connection === undefined) return false;
    this.#places.delete(connection);
    connection.destroy();
    return true;
  }

  /**
   * Returns false for a further request of a busy connection, if as many requests are under way as there are places. A client
   * may send thousands before the first answer (pipelining), and each request has a connection to its service.
   */
  mayBeginRequest(connection: Duplex): boolean {
    if ((this.#places.get(connection)?.requestCount ?? 0) === 0) return true;
    let requestsUnderWay = 0;
    for (const { requestCount } of this.#places.values()) requestsUnderWay += requestCount;
    return requestsUnderWay < this.#maxPlaces;
  }

  /** Returns true if a request of the connection was admitted. */
  isKnown(connection: Duplex): boolean {
    return this.#places.get(connection)?.hasShownKey === true;
  }

  /** Counts an admitted request, so that its connection keeps its place. @returns a function to call when the request has ended */
  beginRequest(connection: Duplex): () => void {
    const place = this.#places.get(connection);
    if (place === undefined) return () => {};
    place.requestCount += 1;
    place.hasShownKey = true;
    return () => {
      place.requestCount -= 1;
    };
  }

  /** Closes all connections. */
  closeConnections(): void {
    for (const connection of this.#places.keys()) connection.destroy();
  }
}

/** Returns the client's address; undefined for connections on a socket of the file system, which all count as one address. */
function clientAddressOf(connection: Duplex): unknown {
  return "remoteAddress" in connection ? connection.remoteAddress : undefined;
}
