/** Connections that the broker keeps for as long as it runs, for the requests of the program. */
import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { Connector } from "./agent.ts";
import { afterTime, TimeLimit } from "./limit.ts";
import type { NetworkSettings } from "./network-settings.ts";

/** Services and proxies usually close an idle connection after 60 s or more. Some announce a shorter time by `Keep-Alive`. */
const IDLE_MS = 30_000;
/** We close an idle connection this long before the service would, since a request must not meet a closed connection. */
const MARGIN_MS = 1000;

class ConnectionPool extends Connector {
  readonly #limit: TimeLimit;

  constructor(origin: string, network: NetworkSettings, connectMs: number) {
    // Only steps, such as connecting, have a limit. The pool itself exists for as long as its owner needs it.
    const timer = { limit: (ms: number, act: () => void) => (ms < Infinity ? afterTime(ms, act) : () => {}) };
    const limit = new TimeLimit(Infinity, { ...timer, stepMs: connectMs });
    super(new URL(origin), network, limit, () => {}, { timeout: IDLE_MS });
    this.#limit = limit;
  }

  /** Called by Node.js when a request is done. @returns false if the connection must be closed */
  override keepSocketAlive(socket: Duplex & { readonly timeout?: number }): boolean {
    // Node's own method sets `timeout` to the time that the service announces, if that is shorter. Its types lack the result.
    const isKept: unknown = super.keepSocketAlive(socket);
    const idleMs = socket.timeout ?? 0;
    if (isKept === false || idleMs <= MARGIN_MS) return false;
    if (idleMs < IDLE_MS && "setTimeout" in socket && typeof socket.setTimeout === "function") {
      socket.setTimeout(idleMs - MARGIN_MS);
    }
    return true;
  }

  /** Closes all connections, including those that are being made. No further ones can be opened. */
  override destroy(): void {
    super.destroy();
    this.#limit.abandon();
  }
}

/**
 * Returns an agent for `http.request` with connections to one origin, http or https. They go through the caller's proxies, and
 * certificates are verified by the caller's authorities. A connection is made when a request needs it, and is kept for later
 * requests. A request without a connection fails with a `NetworkError`. The caller must call `destroy`.
 */
export function agentFor(origin: string, network: NetworkSettings, connectMs = 10_000): Agent {
  return new ConnectionPool(origin, network, connectMs);
}
