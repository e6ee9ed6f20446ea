import type { Fault } from "../faults/esc-fault.ts";

export interface Trouble {
  /** `transient`: a broken or slow connection, HTTP 500, 502, 503, 504. `unreached`: never connected. */
  readonly kind: "transient" | "unreached" | "rate-limit" | "final";
  readonly retryAfterMs?: number | undefined;
}

/** A number of retries, which several requests can share. */
export interface RetryBudget {
  retries: number;
  readonly maxRetries: number;
}

export interface Situation extends Readonly<RetryBudget> {
  readonly remainingMs: number;
}

/** The pause in milliseconds before another attempt, or the reason why there is none. */
export type Decision = number | "stop" | "pause-too-long";

export function readBudget(): RetryBudget {
  return { retries: 0, maxRetries: 4 };
}

/** Fewer than for reading: each open may mint credentials. */
export function openBudget(): RetryBudget {
  return { retries: 0, maxRetries: 2 };
}

/** A second attempt tells enough about a host that was never reached. */
const MAX_UNREACHED_RETRIES = 1;
const SERVER_TROUBLE: ReadonlySet<number> = new Set([500, 502, 503, 504]);
const FIRST_BACKOFF_MS = 300;
const SHORTEST_PAUSE_MS = 100;
/** The time that the next request itself needs; a pause that leaves less is pointless. */
const REQUEST_MS = 100;
/**
 * Clients spread over a part of the remaining time: a small one first, since the limit may pass soon. With these parts a thousand
 * starts at once all read their environment within 30 s, if the service answers 75 requests a second. Their 2,000 requests are 67 a
 * second (test/esc/transport/herd.slow.test.ts).
 */
const RATE_LIMIT_SPREAD = {
  first: { from: 0, to: 0.15 },
  later: { from: 0.15, to: 0.9 },
  laterWithRetryAfter: { from: 0, to: 0.7 },
} as const;

/** Classifies a fault: whether another attempt may help, and when. */
export function troubleOf(fault: Fault): Trouble {
  const ofStatus = (status: number): Trouble["kind"] => (SERVER_TROUBLE.has(status) ? "transient" : "final");
  if (fault.kind === "connect" || fault.kind === "slow") return { kind: fault.unreached ? "unreached" : "transient" };
  if (fault.kind === "cut") return { kind: "transient" };
  if (fault.kind === "proxy-refused") return { kind: ofStatus(fault.status) };
  // Another attempt does not fix errors of a definition, whatever the status.
  if (fault.kind !== "status" || fault.diagnostics.length > 0) return { kind: "final" };
  const { status, retryAfterMs } = fault;
  return { kind: status === 429 ? "rate-limit" : ofStatus(status), retryAfterMs };
}

/** Returns the reason of a retry in few words, for the progress. */
export function reasonOf(fault: Fault): string {
  if (fault.kind === "connect" || fault.kind === "cut") return fault.code;
  if (fault.kind === "slow") return "timed out";
  return fault.kind === "status" || fault.kind === "proxy-refused" ? `HTTP ${fault.status}` : fault.kind;
}

/**
 * Decides about the next attempt. Transient trouble: exponential back-off, each pause from half to one and a half of its
 * nominal length. A rate limit: clients spread evenly over a part of the remaining time. `Retry-After` is the least
 * pause, and a random part is added, so that not all clients return in the same second. No pause passes the deadline.
 */
export function decide(trouble: Trouble, situation: Situation, random: number): Decision {
  if (trouble.kind === "final") return "stop";
  const most = trouble.kind === "unreached" ? MAX_UNREACHED_RETRIES : Number.POSITIVE_INFINITY;
  if (situation.retries >= Math.min(situation.maxRetries, most)) return "stop";
  const available = situation.remainingMs - REQUEST_MS;
  const least = trouble.retryAfterMs ?? 0;
  if (least > 0 && least > available) return "pause-too-long";
  return available < SHORTEST_PAUSE_MS ? "stop" : Math.round(pause(trouble, situation.retries, available, random));
}

function pause({ kind, retryAfterMs }: Trouble, retries: number, available: number, random: number): number {
  const nominal = FIRST_BACKOFF_MS * 2 ** retries;
  if (retryAfterMs !== undefined && (kind === "transient" || retries === 0)) {
    return between(retryAfterMs, retryAfterMs + Math.max(retryAfterMs, nominal), available, random);
  }
  if (kind !== "rate-limit") return between(nominal / 2, nominal * 1.5, available, random);
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

/** The longest pause that is told apart: RFC 9111, 1.2.2 has the same limit for numbers of seconds. */
const LONGEST_RETRY_AFTER_S = 2 ** 31;
/** The forms of an HTTP date (RFC 9110, 5.6.7): IMF-fixdate, that of RFC 850, and that of asctime(3), which is in UTC. */
const HTTP_DATES = [
  /^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/**
 * Returns the pause of a `Retry-After` header (RFC 9110, 10.2.3), in milliseconds. A date is compared with the answer's own
 * `Date`, else with `now`, so that a wrong clock of this machine has no effect.
 */
export function parseRetryAfter(header: string | undefined, date: string | undefined, now: number): number | undefined {
  const text = header?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text), LONGEST_RETRY_AFTER_S) * 1000;
  const until = parseDate(text);
  if (Number.isNaN(until)) return undefined;
  const sent = parseDate(date ?? "");
  return Math.max(0, until - (Number.isNaN(sent) ? now : sent));
}

/** Returns the milliseconds of an HTTP date, else NaN. Date.parse takes other texts as well, such as `1.5`, and each engine others. */
function parseDate(text: string): number {
  const groups = HTTP_DATES.map((form) => form.exec(text)?.groups).find((found) => found !== undefined);
  const { day, month = "", year = "", time = "" } = groups ?? {};
  const index = MONTHS.indexOf(month.toLowerCase());
  if (index === -1) return Number.NaN;
  const [hours, minutes, seconds] = time.split(":").map(Number);
  // Date.UTC takes a year of two digits for one of the last century.
  const century = year.length === 2 && Number(year) < 50 ? 2000 : 0;
  return Date.UTC(century + Number(year), index, Number(day), hours, minutes, seconds);
}
