/**
 * Keeps the connections of the broker to one service. The broker is the local proxy that replaces dummy keys by real ones in the
 * requests of the program, and it sends these requests on through such a pool.
 */
import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { Connector } from "./agent.ts";
import { afterTime, TimeLimit } from "./limit.ts";
import type { NetworkSettings } from "./network-settings.ts";

/** The pool closes idle connections after this time, because services and proxies usually close them after 60 s or more. */
const IDLE_MS = 30_000;
/**
 * A service may announce a shorter time by the header `Keep-Alive`. The pool closes the connection this long before, since a request
 * must not be sent on a closed connection.
 */
const MARGIN_MS = 1000;

class ConnectionPool extends Connector {
  readonly #limit: TimeLimit;

  constructor(origin: string, network: NetworkSettings, connectMs: number) {
    // Connecting has a time limit, while the requests together have none: setTimeout would take Infinity for 1 ms.
    const setLimit = (ms: number, act: () => void): (() => void) => (ms < Infinity ? afterTime(ms, act) : () => {});
    const limit = new TimeLimit(Infinity, { limit: setLimit, stepMs: connectMs });
    super(new URL(origin), network, limit, () => {}, { timeout: IDLE_MS });
    this.#limit = limit;
  }

  /** Called by Node.js when a request is done. @returns false if the connection must be closed */
  override keepSocketAlive(socket: Duplex & { readonly timeout?: number }): boolean {
    // If the service announces a shorter time, Node's own method sets `timeout` to it. The types of Node.js lack the result.
    const isKept: unknown = super.keepSocketAlive(socket);
    const idleMs = socket.timeout ?? 0;
    if (isKept === false || idleMs <= MARGIN_MS) return false;
    if (idleMs < IDLE_MS && "setTimeout" in socket && typeof socket.setTimeout === "function") {
      socket.setTimeout(idleMs - MARGIN_MS);
    }
    return true;
  }

  /** Closes all connections, including those that are being opened. Afterwards the pool opens no connection. */
  override destroy(): void {
    super.destroy();
    this.#limit.abandon();
  }
}

/**
 * Returns an agent for `http.request` with connections to one origin, http or https. It connects through the user's proxies, and
 * trusts the certificate authorities that the user trusts. It opens a connection when a request needs one, and keeps it for later
 * requests. If connecting fails, the request fails with a `NetworkError`. The caller must call `destroy`.
 *
 * @param connectMs the time limit for connecting
 */
export function createConnectionPool(origin: string, network: NetworkSettings, connectMs = 10_000): Agent {
  return new ConnectionPool(origin, network, connectMs);
}
