/**
 * Retries of requests to ESC: whether a fault may be temporary, and how long to pause before the next attempt.
 *
 *     const budget = createReadBudget();
 *     const decision = decideRetry(classifyFault(fault), { ...budget, remainingMs }, Math.random());
 *     // 420 (ms to pause), "stop", or "pause-too-long"
 *
 * The file also parses `Retry-After: 120` and `Retry-After: Wed, 21 Oct 2015 07:28:00 GMT`.
 */
import type { Fault } from "../faults/esc-fault.ts";

/** The meaning of a fault for retries, and the pause that the service asks for. */
export interface FaultClass {
  /**
   * `transient`: a broken or slow connection, or HTTP 500, 502, 503, 504. `unreached`: the host was never reached.
   * `rate-limit`: HTTP 429. `final`: another attempt would fail, too.
   */
  readonly kind: "transient" | "unreached" | "rate-limit" | "final";
  readonly retryAfterMs?: number | undefined;
}

/** The retries that were made and that are allowed. Several requests may share one budget. */
export interface RetryBudget {
  retries: number;
  readonly maxRetries: number;
}

/** The budget of a request, and the time until the deadline. */
export interface RetrySituation extends Readonly<RetryBudget> {
  readonly remainingMs: number;
}

/**
 * The pause in milliseconds before another attempt, or the reason why there is none. `pause-too-long`: the service asks for a
 * longer pause than the time that remains.
 */
export type RetryDecision = number | "stop" | "pause-too-long";

/** Returns the budget of a request that only reads. */
export function createReadBudget(): RetryBudget {
  return { retries: 0, maxRetries: 4 };
}

/** Returns the budget of opening an environment. It is smaller, because each open may mint credentials. */
export function createOpenBudget(): RetryBudget {
  return { retries: 0, maxRetries: 2 };
}

/** The limit on retries if the host was never reached. After one retry it is assumed that the host stays out of reach. */
const MAX_UNREACHED_RETRIES = 1;
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/**
 * The nominal pause before the first retry, after a transient fault or if the host was not reached. It doubles before each further
 * retry.
 */
const FIRST_BACKOFF_MS = 300;
/** If less time than this remains for a pause, there is no further attempt. */
const MIN_PAUSE_MS = 100;
/** The time that is reserved for the next request itself. A pause that leaves less is pointless. */
const REQUEST_MS = 100;
/**
 * Under a rate limit, clients spread their retries over these parts of the remaining time (0: now, 1: the last moment that leaves
 * time for the request). The part for the first retry is small, because the limit may pass soon. With these parts a thousand
 * simultaneous starts all read their environment within 30 s if the service answers 75 requests a second: their 2,000 requests are
 * 67 a second (test/esc/transport/herd.slow.test.ts).
 */
const RATE_LIMIT_SPREAD = {
  first: { from: 0, to: 0.15 },
  later: { from: 0.15, to: 0.9 },
  laterWithRetryAfter: { from: 0, to: 0.7 },
} as const;

/** Classifies a fault: whether another attempt may help, and when. */
export function classifyFault(fault: Fault): FaultClass {
  const kindOfStatus = (status: number): FaultClass["kind"] => (TRANSIENT_STATUSES.has(status) ? "transient" : "final");
  if (fault.kind === "connect" || fault.kind === "slow") return { kind: fault.unreached ? "unreached" : "transient" };
  if (fault.kind === "cut") return { kind: "transient" };
  if (fault.kind === "proxy-refused") return { kind: kindOfStatus(fault.status) };
  // Another attempt does not fix the errors of a definition, whatever the status.
  if (fault.kind !== "status" || fault.diagnostics.length > 0) return { kind: "final" };
  const { status, retryAfterMs } = fault;
  return { kind: status === 429 ? "rate-limit" : kindOfStatus(status), retryAfterMs };
}

/** Describes the reason of a retry in a few words, such as `HTTP 503`, for the progress. */
export function describeRetryReason(fault: Fault): string {
  if (fault.kind === "connect" || fault.kind === "cut") return fault.code;
  if (fault.kind === "slow") return "timed out";
  return fault.kind === "status" || fault.kind === "proxy-refused" ? `HTTP ${fault.status}` : fault.kind;
}

/**
 * Decides whether there is another attempt, and how long to pause before it. No pause passes the deadline.
 *
 * After a transient fault the pauses grow exponentially, each from half to one and a half of its nominal length. Under a rate
 * limit, clients spread evenly over a part of the remaining time. A pause is at least as long as `Retry-After` asks for. A
 * random part is added, so that not all clients return in the same second.
 *
 * @param random from 0 (inclusive) to 1 (exclusive)
 */
export function decideRetry(fault: FaultClass, situation: RetrySituation, random: number): RetryDecision {
  if (fault.kind === "final") return "stop";
  const maxOfKind = fault.kind === "unreached" ? MAX_UNREACHED_RETRIES : Number.POSITIVE_INFINITY;
  if (situation.retries >= Math.min(situation.maxRetries, maxOfKind)) return "stop";
  const availableMs = situation.remainingMs - REQUEST_MS;
  const requestedMs = fault.retryAfterMs ?? 0;
  if (requestedMs > 0 && requestedMs > availableMs) return "pause-too-long";
  if (availableMs < MIN_PAUSE_MS) return "stop";
  return Math.round(choosePause(fault, situation.retries, availableMs, random));
}

function choosePause({ kind, retryAfterMs }: FaultClass, retries: number, availableMs: number, random: number): number {
  const nominalMs = FIRST_BACKOFF_MS * 2 ** retries;
  // Retry-After decides alone after a transient fault, and for the first retry under a rate limit. If the limit has not passed
  // by then, the later retries are spread over the remaining time below.
  if (retryAfterMs !== undefined && (kind === "transient" || retries === 0)) {
    const maxMs = retryAfterMs + Math.max(retryAfterMs, nominalMs);
    return choosePauseBetween(retryAfterMs, maxMs, availableMs, random);
  }
  if (kind !== "rate-limit") return choosePauseBetween(nominalMs / 2, nominalMs * 1.5, availableMs, random);
  const { first, later, laterWithRetryAfter } = RATE_LIMIT_SPREAD;
  const laterSpread = retryAfterMs === undefined ? later : laterWithRetryAfter;
  const { from, to } = retries === 0 ? first : laterSpread;
  const minMs = Math.max(MIN_PAUSE_MS, retryAfterMs ?? 0, availableMs * from);
  const maxMs = Math.max(minMs + (retryAfterMs ?? 0), availableMs * to);
  return choosePauseBetween(minMs, maxMs, availableMs, random);
}

/** Returns a random pause within both limits, or the available time if that is shorter. */
function choosePauseBetween(minMs: number, maxMs: number, availableMs: number, random: number): number {
  const endMs = Math.min(maxMs, availableMs);
  const startMs = Math.min(minMs, endMs);
  return startMs + random * (endMs - startMs);
}

/** Longer pauses are treated as this one. RFC 9111, 1.2.2 has the same limit for numbers of seconds. */
const MAX_RETRY_AFTER_S = 2 ** 31;
/**
 * The forms of an HTTP date (RFC 9110, 5.6.7), all in UTC:
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
 *     Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *     Sun Nov  6 08:49:37 1994          asctime(3)
 */
const HTTP_DATES = [
  /^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/**
 * Parses a `Retry-After` header (RFC 9110, 10.2.3). A date in it is compared with the `Date` header of the same answer, so that
 * a wrong clock of this machine has no effect; without that header it is compared with `now`.
 * @returns the pause in milliseconds; undefined for a header that is absent or invalid
 */
export function parseRetryAfter(header: string | undefined, date: string | undefined, now: number): number | undefined {
  const text = header?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text), MAX_RETRY_AFTER_S) * 1000;
  const retryTime = parseHttpDate(text);
  if (Number.isNaN(retryTime)) return undefined;
  const answerTime = parseHttpDate(date ?? "");
  return Math.max(0, retryTime - (Number.isNaN(answerTime) ? now : answerTime));
}

/** Returns the milliseconds of an HTTP date, or NaN. Date.parse accepts more, such as `1.5`, and differs between engines. */
function parseHttpDate(text: string): number {
  const groups = HTTP_DATES.map((form) => form.exec(text)?.groups).find((match) => match !== undefined);
  const { day, month = "", year = "", time = "" } = groups ?? {};
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  if (monthIndex === -1) return Number.NaN;
  const [hours, minutes, seconds] = time.split(":").map(Number);
  // Date.UTC takes a year of two digits for one of the last century. RFC 9110 asks for the nearer century.
  const century = year.length === 2 && Number(year) < 50 ? 2000 : 0;
  return Date.UTC(century + Number(year), monthIndex, Number(day), hours, minutes, seconds);
}
