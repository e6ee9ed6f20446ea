/** Limits the rate of requests to the ESC server, for the fault `rateLimit`. */
import { type Answer, failure } from "./answer.ts";
import type { Fault } from "./faults.ts";

export type RateLimit = Extract<Fault, { kind: "rateLimit" }>;

/** A token bucket: `undefined` while requests are within the rate, else the 429 that the service sends. */
export function createRateLimiter(limit: RateLimit, now: () => number): () => Answer | undefined {
  const capacity = limit.burst ?? limit.perSecond;
  let tokens = capacity;
  let last = now();
  return () => {
    const at = now();
    tokens = Math.min(capacity, tokens + ((at - last) * limit.perSecond) / 1_000);
    last = at;
    if (tokens >= 1) {
      tokens -= 1;
      return undefined;
    }
    const { retryAfter } = limit;
    const answer = failure(429, "Too Many Requests");
    if (retryAfter === undefined) return answer;
    const header =
      typeof retryAfter === "number" ? String(retryAfter) : new Date(at + retryAfter.date * 1_000).toUTCString();
    return { ...answer, headers: { ...answer.headers, "Retry-After": header } };
  };
}
