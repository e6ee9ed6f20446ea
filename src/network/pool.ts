import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { Connector } from "./agent.ts";
import { afterTime, TimeLimit } from "./limit.ts";
import type { NetworkSettings } from "./network-settings.ts";

/** Shorter than what services and proxies usually allow, 60 s or more; some announce less by `Keep-Alive`. */
const IDLE_MS = 30_000;
/** An idle connection ends by this before the service would end it, which a request must not meet; Node.js 20 waits. */
const MARGIN_MS = 1000;

class Pool extends Connector {
  readonly #limit: TimeLimit;

  constructor(origin: string, network: NetworkSettings, connectMs: number) {
    // Only steps are limited.
    const timer = { limit: (ms: number, end: () => void) => (ms < Infinity ? afterTime(ms, end) : () => {}) };
    const limit = new TimeLimit(Infinity, { ...timer, stepMs: connectMs });
    super(new URL(origin), network, limit, () => {}, { timeout: IDLE_MS });
    this.#limit = limit;
  }

  override keepSocketAlive(socket: Duplex & { readonly timeout?: number }): boolean {
    // Sets the timeout to what the service announces, if that is shorter. The types lack the result.
    const isKept: unknown = super.keepSocketAlive(socket);
    const idleMs = socket.timeout ?? 0;
    if (isKept === false || idleMs <= MARGIN_MS) return false;
    if (idleMs < IDLE_MS && "setTimeout" in socket && typeof socket.setTimeout === "function") {
      socket.setTimeout(idleMs - MARGIN_MS);
    }
    return true;
  }

  /** Ends all connections, also those that are being made; there are no further ones. */
  override destroy(): void {
    super.destroy();
    this.#limit.abandon();
  }
}

/**
 * Returns an agent with connections to one origin for `http.request`, also for https, through the caller's proxies, verified
 * by the caller's certificate authorities. Connections are made when requests need them, and are kept for further ones. A
 * request for which there is no connection fails with a `NetworkError`. The caller must call `destroy`.
 */
export function agentFor(origin: string, network: NetworkSettings, connectMs = 10_000): Agent {
  return new Pool(origin, network, connectMs);
}
