import type { Fault } from "../faults/fault.ts";

export type Trouble =
  /** A connection that broke, or took too long; 500, 502, 503, 504. */
  | { readonly kind: "transient"; readonly retryAfterMs?: number | undefined }
  /** No connection, and there never was one: a second attempt tells enough. */
  | { readonly kind: "unreached"; readonly retryAfterMs?: undefined }
  /** 429: too many ask at once. */
  | { readonly kind: "rate-limit"; readonly retryAfterMs?: number | undefined }
  | { readonly kind: "final" };

export interface Situation {
  readonly retries: number;
  readonly maxRetries: number;
  readonly remainingMs: number;
}

export type Decision =
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "stop"; readonly why: "final" | "exhausted" | "deadline" | "pause-too-long" };

/** An open may mint credentials each time. */
export const MAX_OPEN_RETRIES = 2;
export const MAX_READ_RETRIES = 4;

/** A number of retries that several requests can share. */
export interface RetryBudget {
  retries: number;
  readonly maxRetries: number;
}

export function budget(maxRetries: number): RetryBudget {
  return { retries: 0, maxRetries };
}

/** One retry, whatever the budget, where nothing was ever reached. */
const MAX_UNREACHED_RETRIES = 1;
const SERVER_TROUBLE: ReadonlySet<number> = new Set([500, 502, 503, 504]);
const FIRST_BACKOFF_MS = 300;
const SHORTEST_PAUSE_MS = 100;
/** Time that the next request itself needs; a pause that leaves less is pointless. */
const REQUEST_MS = 100;
/**
 * Parts of the remaining time over which clients spread that a rate limit turned away: at first a small one, since the
 * limit may pass soon; then nearly all, after the first wave. Found by `npm run herd`.
 */
const RATE_LIMIT_SPREAD = {
  first: { from: 0, to: 0.15 },
  later: { from: 0.15, to: 0.9 },
  laterWithRetryAfter: { from: 0, to: 0.7 },
} as const;

export function troubleOf(fault: Fault): Trouble {
  if (fault.kind === "connect" || fault.kind === "slow") return { kind: fault.unreached ? "unreached" : "transient" };
  if (fault.kind === "cut") return { kind: "transient" };
  if (fault.kind === "proxy-refused") return { kind: SERVER_TROUBLE.has(fault.status) ? "transient" : "final" };
  // Errors in a definition stay, whatever the status they come with.
  if (fault.kind !== "status" || fault.diagnostics.length > 0) return { kind: "final" };
  const { status, retryAfterMs } = fault;
  if (status === 429) return { kind: "rate-limit", retryAfterMs };
  return SERVER_TROUBLE.has(status) ? { kind: "transient", retryAfterMs } : { kind: "final" };
}

export function reasonOf(fault: Fault): string {
  if (fault.kind === "connect" || fault.kind === "cut") return fault.code;
  if (fault.kind === "slow") return "timed out";
  return fault.kind === "status" || fault.kind === "proxy-refused" ? `HTTP ${fault.status}` : fault.kind;
}

/**
 * Decides about the next attempt. Transient trouble: exponential back-off, each pause from half to one and a half of its
 * nominal length. A rate limit: clients spread evenly over a part of the time that is left. `Retry-After` is the least
 * pause; something comes on top, so that not all return in the same second. No pause passes the deadline.
 *
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function decide(trouble: Trouble, situation: Situation, random: number): Decision {
  if (trouble.kind === "final") return { kind: "stop", why: "final" };
  const most = trouble.kind === "unreached" ? MAX_UNREACHED_RETRIES : Number.POSITIVE_INFINITY;
  if (situation.retries >= Math.min(situation.maxRetries, most)) return { kind: "stop", why: "exhausted" };
  const available = situation.remainingMs - REQUEST_MS;
  const least = trouble.retryAfterMs ?? 0;
  if (least > 0 && least > available) return { kind: "stop", why: "pause-too-long" };
  if (available < SHORTEST_PAUSE_MS) return { kind: "stop", why: "deadline" };
  return { kind: "retry", delayMs: Math.round(pause(trouble, situation, available, random)) };
}

function pause(
  trouble: Exclude<Trouble, { kind: "final" }>,
  { retries }: Situation,
  available: number,
  random: number,
): number {
  const nominal = FIRST_BACKOFF_MS * 2 ** retries;
  const { retryAfterMs } = trouble;
  if (retryAfterMs !== undefined && (trouble.kind === "transient" || retries === 0)) {
    return between(retryAfterMs, retryAfterMs + Math.max(retryAfterMs, nominal), available, random);
  }
  if (trouble.kind !== "rate-limit") return between(nominal / 2, nominal * 1.5, available, random);
  const { first, later, laterWithRetryAfter } = RATE_LIMIT_SPREAD;
  const { from, to } = retries === 0 ? first : retryAfterMs === undefined ? later : laterWithRetryAfter;
  const least = Math.max(SHORTEST_PAUSE_MS, retryAfterMs ?? 0, available * from);
  return between(least, Math.max(least + (retryAfterMs ?? 0), available * to), available, random);
}

function between(least: number, most: number, available: number, random: number): number {
  const limit = Math.min(most, available);
  const start = Math.min(least, limit);
  return start + random * (limit - start);
}

/**
 * The pause that a `Retry-After` header asks for, in milliseconds: seconds, or an HTTP date (RFC 9110, 10.2.3). A date
 * is held against the answer's own `Date`, so that a wrong clock here does no harm.
 *
 * @param now milliseconds since the epoch, for answers without a `Date`
 */
export function parseRetryAfter(header: string | undefined, date: string | undefined, now: number): number | undefined {
  const text = header?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // All three forms of a date begin with the day of the week; Date.parse alone takes `1.5` for a date.
  const until = /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(date ?? "");
  return Math.max(0, until - (Number.isNaN(sent) ? now : sent));
}
