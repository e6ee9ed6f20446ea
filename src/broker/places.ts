/**
 * Limits the number of connections to the broker. Any process of this machine can open connections, and must not be able to keep the
 * program out by that. So connections that have shown a key are kept before others, and of the others the address with the most of them
 * loses one first.
 *
 * The server calls `take` for each new connection, and `use` for each admitted request.
 */
import type { Duplex } from "node:stream";

/** The places of a broker. */
export const MAX_CONNECTIONS = 256;

/** The use of one place. */
interface ConnectionUse {
  /** The number of admitted requests under way. A WebSocket counts until its end. */
  uses: number;
  /** True if a request of the connection was admitted, so that its client knows a dummy of this run. */
  isKnown: boolean;
}

export class Places {
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
  take(connection: Duplex): boolean {
    if (this.#places.has(connection)) return true;
    if (this.#places.size >= this.#maxPlaces && !this.#freePlace()) return false;
    this.#places.set(connection, { uses: 0, isKnown: false });
    connection.once("close", () => this.#places.delete(connection)).on("error", () => {});
    return true;
  }

  /** Closes the oldest connection that never had an admitted request; if there is none, the oldest idle connection. */
  #freePlace(): boolean {
    const idle = Array.from(this.#places).filter(([, { uses }]) => uses === 0);
    const unknown = idle.filter(([, { isKnown }]) => !isKnown);
    // Only the address with the most of these connections loses one, so that an attacker at one address cannot displace the others.
    const countByAddress = new Map<unknown, number>();
    for (const [candidate] of unknown) {
      const address = addressOf(candidate);
      countByAddress.set(address, (countByAddress.get(address) ?? 0) + 1);
    }
    const highestCount = Math.max(...countByAddress.values());
    const hasHighestCount = ([candidate]: readonly [Duplex, ConnectionUse]): boolean =>
      countByAddress.get(addressOf(candidate)) === highestCount;
    const [connection] = unknown.find(hasHighestCount) ?? idle[0] ?? [];
    if (connection === undefined) return false;
    this.#places.delete(connection);
    connection.destroy();
    return true;
  }

  /**
   * Returns false for a further request of a busy connection, if as many requests are under way as there are places. A client
   * may send thousands before the first answer (pipelining), and each request has a connection to its service.
   */
  mayUse(connection: Duplex): boolean {
    if ((this.#places.get(connection)?.uses ?? 0) === 0) return true;
    let requestsUnderWay = 0;
    for (const { uses } of this.#places.values()) requestsUnderWay += uses;
    return requestsUnderWay < this.#maxPlaces;
  }

  /** Returns true once a request of the connection was admitted. */
  isKnown(connection: Duplex): boolean {
    return this.#places.get(connection)?.isKnown === true;
  }

  /** Keeps the place of a connection for an admitted request. @returns a function that ends this use */
  use(connection: Duplex): () => void {
    const place = this.#places.get(connection);
    if (place === undefined) return () => {};
    place.uses += 1;
    place.isKnown = true;
    return () => {
      place.uses -= 1;
    };
  }

  /** Closes all connections. */
  clear(): void {
    for (const connection of this.#places.keys()) connection.destroy();
  }
}

/** Returns the client's address; undefined for connections on a socket of the file system, which all count as one address. */
function addressOf(connection: Duplex): unknown {
  return "remoteAddress" in connection ? connection.remoteAddress : undefined;
}
