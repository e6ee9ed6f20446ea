/** The places for connections, of which any process of this machine can ask for one. */
import type { Duplex } from "node:stream";

export const MAX_CONNECTIONS = 256;

interface ConnectionUse {
  /** Admitted requests under way; a WebSocket is one until its end. */
  uses: number;
  /** A request of the connection was admitted: its client has a dummy of this run. */
  isKnown: boolean;
}

export class Places {
  readonly #most: number;
  /** The oldest first. */
  readonly #places = new Map<Duplex, ConnectionUse>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Gives a connection a place. If all are taken, the oldest connection without an admitted request is closed for it: one that
   * is idle, that sends its head slowly, or whose request was refused. One that was never of use goes first.
   *
   * @returns false if all places are in use
   */
  take(connection: Duplex): boolean {
    if (this.#places.has(connection)) return true;
    if (this.#places.size >= this.#most && !this.#makeRoom()) return false;
    this.#places.set(connection, { uses: 0, isKnown: false });
    connection.once("close", () => this.#places.delete(connection)).on("error", () => {});
    return true;
  }

  #makeRoom(): boolean {
    const idle = Array.from(this.#places).filter(([, { uses }]) => uses === 0);
    const unknown = idle.filter(([, { isKnown }]) => !isKnown);
    // One address that opens many connections must not cost others theirs.
    const counts = new Map<unknown, number>();
    for (const [one] of unknown) counts.set(addressOf(one), (counts.get(addressOf(one)) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const [connection] = unknown.find(([one]) => counts.get(addressOf(one)) === most) ?? idle[0] ?? [];
    if (connection === undefined) return false;
    this.#places.delete(connection);
    connection.destroy();
    return true;
  }

  /**
   * Returns false for a request that came ahead of an earlier one's answer, if as many are under way as there are places. Each
   * one has a connection to its service, and a client may send thousands at once.
   */
  mayUse(connection: Duplex): boolean {
    if ((this.#places.get(connection)?.uses ?? 0) === 0) return true;
    let all = 0;
    for (const { uses } of this.#places.values()) all += uses;
    return all < this.#most;
  }

  /** Returns true once a request of the connection was admitted. */
  isKnown(connection: Duplex): boolean {
    return this.#places.get(connection)?.isKnown === true;
  }

  /** Keeps the place of a connection for a request. @returns a function that ends the use */
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

function addressOf(connection: Duplex): unknown {
  return "remoteAddress" in connection ? connection.remoteAddress : undefined;
}
