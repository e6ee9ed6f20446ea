/** The limits of requests for each key; pure. A stream counts as one request, and so does a WebSocket. */
import type { RequestLimit } from "../contract/broker/broker-model.ts";
import type { Refusal } from "./refusals.ts";
import type { Route } from "./route.ts";

const MINUTE_MS = 60_000;
/** For clients that wait as long as they are told: a longer wait would hang a program for nothing. */
const NO_MORE_SECONDS = 60;

/** The requests of a key in this run. */
interface Use {
  count: number;
  /** The times of the last requests, as many as a minute may have. The oldest is at `count` modulo their number. */
  readonly times: number[];
}

export class Limits {
  readonly #uses = new Map<string, Use>();

  /** Counts a request that is admitted. @param now in ms @returns the refusal of one beyond a limit, which does not count */
  take({ name, limit }: Pick<Route, "name" | "limit">, now: number): Refusal | undefined {
    if (limit === undefined) return undefined;
    const use = this.#uses.get(name) ?? { count: 0, times: [] };
    this.#uses.set(name, use);
    return excess(name, limit, use, now);
  }
}

function excess(name: string, { perMinute, total }: RequestLimit, use: Use, now: number): Refusal | undefined {
  if (total !== undefined && use.count >= total) {
    const message = `the limit of ${name} is reached: ${total} requests in a run; raise "limit" in the contract, or start again`;
    return { code: "broker-limit", name, message, retry: { seconds: NO_MORE_SECONDS, helps: false } };
  }
  if (perMinute !== undefined) {
    const at = use.count % perMinute;
    const wait = (use.times[at] ?? -Infinity) + MINUTE_MS - now;
    if (wait > 0) {
      const seconds = Math.ceil(wait / 1000);
      const message = `the limit of ${name} is reached: ${perMinute} requests a minute; wait ${seconds} s`;
      return { code: "broker-limit", name, message, retry: { seconds, helps: true } };
    }
    use.times[at] = now;
  }
  use.count += 1;
  return undefined;
}
