/**
 * Enforces the `limit` of each key, such as `{ "perMinute": 60, "total": 1000 }`; pure. A stream counts as one request, and so
 * does a WebSocket.
 */
import type { RequestLimit } from "../contract/broker/broker-model.ts";
import type { Refusal } from "./refusals.ts";
import type { Route } from "./route.ts";

const MINUTE_MS = 60_000;
/** The `Retry-After` when no further request is accepted in this run. Some clients wait that long and then try for nothing. */
const FINAL_RETRY_SECONDS = 60;

/** The accepted requests of a key in this run. */
interface KeyUse {
  count: number;
  /** A ring of the times of the latest requests, with `perMinute` entries. The oldest one is at `count % perMinute`. */
  readonly times: number[];
}

export class Limits {
  readonly #uses = new Map<string, KeyUse>();

  /**
   * Counts an admitted request.
   *
   * @param now in ms
   * @returns the refusal of a request beyond a limit, which is not counted
   */
  take({ name, limit }: Pick<Route, "name" | "limit">, now: number): Refusal | undefined {
    if (limit === undefined) return undefined;
    const use = this.#uses.get(name) ?? { count: 0, times: [] };
    this.#uses.set(name, use);
    return countOrRefuse(name, limit, use, now);
  }
}

function countOrRefuse(
  name: string,
  { perMinute, total }: RequestLimit,
  use: KeyUse,
  now: number,
): Refusal | undefined {
  if (total !== undefined && use.count >= total) {
    const message = `the limit of ${name} is reached: ${total} requests in a run; raise "limit" in the contract, or start again`;
    return { code: "broker-limit", name, message, retry: { seconds: FINAL_RETRY_SECONDS, helps: false } };
  }
  if (perMinute !== undefined) {
    const oldestIndex = use.count % perMinute;
    const oldestTime = use.times[oldestIndex] ?? -Infinity;
    const waitMs = oldestTime + MINUTE_MS - now;
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      const message = `the limit of ${name} is reached: ${perMinute} requests a minute; wait ${seconds} s`;
      return { code: "broker-limit", name, message, retry: { seconds, helps: true } };
    }
    use.times[oldestIndex] = now;
  }
  use.count += 1;
  return undefined;
}
