/**
 * Limits the connections to the broker. Any process of this machine can open one, so an attacker must not be able to keep the
 * program out: connections that have shown a key are preferred, and an address with many others loses its own first.
 *
 * The server calls `take` for each new connection, and `use` for each admitted request.
 */
import type { Duplex } from "node:stream";

export const MAX_CONNECTIONS = 256;

interface ConnectionUse {
  /** The number of admitted requests under way. A WebSocket counts until its end. */
  uses: number;
  /** A request of the connection was admitted: its client knows a dummy of this run. */
  isKnown: boolean;
}

export class Places {
  readonly #maxPlaces: number;
  /** The oldest first. */
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

  /** Closes the oldest connection that never had an admitted request, or else the oldest idle one. */
  #freePlace(): boolean {
    const idle = Array.from(this.#places).filter(([, { uses }]) => uses === 0);
    const unknown = idle.filter(([, { isKnown }]) => !isKnown);
    // Only the address with the most of these connections loses one: an attacker at one address cannot displace the others.
    const counts = new Map<unknown, number>();
    for (const [each] of unknown) counts.set(addressOf(each), (counts.get(addressOf(each)) ?? 0) + 1);
    const highestCount = Math.max(...counts.values());
    const [connection] = unknown.find(([each]) => counts.get(addressOf(each)) === highestCount) ?? idle[0] ?? [];
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

/** Returns undefined for connections on a socket of the file system, which all count as one address. */
function addressOf(connection: Duplex): unknown {
  return "remoteAddress" in connection ? connection.remoteAddress : undefined;
}
