import { list, page, table, wrap } from "../markdown.ts";
import { type Policy, type Herd, type Outcome, simulate } from "./simulate.ts";

const HERD = { clients: 1000, startsWithinMs: 200, deadlineMs: 30_000, latencyMs: 50 };
const SEED = 1;
const RATES = [1000, 500, 200, 150, 100, 75];

/** The pauses of many programs: 1 s, then 2 s. */
const fixed: Policy = (_, { retries, maxRetries }) => (retries >= maxRetries ? "stop" : 1000 * 2 ** retries);

/** The usual advice: the same pauses, multiplied by a random factor from 0.5 to 1.5. */
const jittered: Policy = (_, { retries, maxRetries }, random) =>
  retries >= maxRetries ? "stop" : 1000 * 2 ** retries * (0.5 + random);

interface Column {
  readonly title: string;
  readonly settings: Partial<Herd>;
}

const COLUMNS: readonly Column[] = [
  { title: "sophia-run", settings: {} },
  { title: "the same, `Retry-After: 1`", settings: { retryAfterSeconds: 1 } },
  { title: "the same, `Retry-After: 5`", settings: { retryAfterSeconds: 5 } },
  { title: "fixed pauses", settings: { policy: fixed } },
  { title: "pauses with jitter", settings: { policy: jittered } },
];

/** Simulates a rate; the outcome is the same each time. */
export function play(perSecond: number, settings: Partial<Herd> = {}): Outcome {
  return simulate({ ...HERD, perSecond, burst: perSecond, ...settings }, SEED);
}

/** Returns docs/measurements/herd.md. */
export function herdReport(): string {
  const success = table(
    ["requests allowed", ...COLUMNS.map(({ title }) => title)],
    RATES.map((rate) => [
      `${rate}/s`,
      ...COLUMNS.map(({ settings }) => {
        const { read, starts } = play(rate, settings);
        return `${read}, last at ${seconds(starts.at(-1) ?? 0)}`;
      }),
    ]),
  );
  const spread = table(["second", "sophia-run", "fixed pauses"], spreadRows(play(100), play(100, { policy: fixed })));
  const { clients, startsWithinMs, deadlineMs, latencyMs } = HERD;
  const content = [
    wrap(
      `${clients} sophia-runs start within ${startsWithinMs} ms. Each opens an ESC environment and reads it, with the ` +
        `default deadline of ${deadlineMs / 1000} s. The service answers 429 above a rate. This is a simulation on a ` +
        "virtual clock. It uses the decisions of `src/esc/transport/retry.ts`. " +
        `Each answer takes ${latencyMs} ms, and a token bucket holds the requests of one second.`,
    ),
    "## How many read their environment",
    wrap(
      `A cell shows how many of ${clients} read their environment, and when the last one starts its program. Those that ` +
        "do not read ESC start with emergency access, within the deadline. Opening is retried twice at most, because " +
        `each time may create credentials. ${2 * clients} requests in ${deadlineMs / 1000} s are ` +
        `${Math.round((2 * clients) / (deadlineMs / 1000))} a second: below that rate no policy can serve all.`,
    ),
    success,
    list([
      "_sophia-run_: the first pause is random, within 15 % of the time that is left. The second is random, from there " +
        "up to 90 %. With `Retry-After` no pause is shorter than the service asks; the first is at most twice as long, " +
        "the second at most 70 % of the time that is left.",
      "_fixed pauses_: 1 s, then 2 s. _pauses with jitter_: half to one and a half of those, at random.",
    ]),
    "## Requests over time",
    "At 100 requests a second. A block stands for 20 requests in that second, a dot for fewer.",
    spread,
  ].join("\n\n");
  return page("A thousand containers at once", "npm run herd", content);
}

function spreadRows(ours: Outcome, other: Outcome): string[][] {
  const last = Math.max(...[ours, other].flatMap(({ arrivals }) => arrivals));
  return Array.from({ length: Math.ceil(last / 1000) }, (_, second) => [
    String(second),
    ...[ours, other].map(({ arrivals }) => {
      const count = arrivals.filter((at) => Math.floor(at / 1000) === second).length;
      return count === 0 ? "" : `${"█".repeat(Math.floor(count / 20)) || "·"} ${count}`;
    }),
  ]);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
