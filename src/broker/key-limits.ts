/**
 * Enforces the `limit` that the contract sets for a key, such as `{ "perMinute": 60, "total": 1000 }`. A stream counts as one
 * request, and so does a WebSocket. This file reads no clock: the caller passes the time.
 */
import type { RequestLimit } from "../contract/broker/broker-model.ts";
import type { Refusal } from "./refusals.ts";
import type { Route } from "./route.ts";

const MINUTE_MS = 60_000;
/**
 * The `Retry-After` of a request beyond `total`. No later request of this run is accepted either, but some clients wait for this
 * time and then try again.
 */
const FINAL_RETRY_SECONDS = 60;

/** The accepted requests of a key in this run. */
interface KeyUse {
  count: number;
  /** A ring with the times of the latest `perMinute` requests. The oldest time is at the index `count % perMinute`. */
  readonly times: number[];
}

/** The limits of all keys, and the requests that count towards them. */
export class KeyLimits {
  /** By the name of the key's variable. */
  readonly #uses = new Map<string, KeyUse>();

  /**
   * Counts an admitted request.
   *
   * @param now the time in ms, of any clock that is never set back
   * @returns the refusal of a request beyond a limit, which is not counted
   */
  countRequest({ name, limit }: Pick<Route, "name" | "limit">, now: number): Refusal | undefined {
    if (limit === undefined) return undefined;
    const use = this.#uses.get(name) ?? { count: 0, times: [] };
    this.#uses.set(name, use);
    return countOrRefuseRequest(name, limit, use, now);
  }
}

function countOrRefuseRequest(
  name: string,
  { perMinute, total }: RequestLimit,
  use: KeyUse,
  now: number,
): Refusal | undefined {
  if (total !== undefined && use.count >= total) {
    const message = `the limit of ${name} is reached: ${total} requests in a run; raise "limit" in the contract, or start again`;
    return { code: "broker-limit", name, message, retry: { seconds: FINAL_RETRY_SECONDS, canSucceed: false } };
  }
  if (perMinute !== undefined) {
    const oldestIndex = use.count % perMinute;
    const oldestTime = use.times[oldestIndex] ?? -Infinity;
    const waitMs = oldestTime + MINUTE_MS - now;
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      const message = `the limit of ${name} is reached: ${perMinute} requests a minute; wait ${seconds} s`;
      return { code: "broker-limit", name, message, retry: { seconds, canSucceed: true } };
    }
    use.times[oldestIndex] = now;
  }
  use.count += 1;
  return undefined;
}
