import { type Policy, type Herd, type Outcome, simulate } from "./simulate.ts";

const HERD = { clients: 1000, startsWithinMs: 200, deadlineMs: 30_000, latencyMs: 50 };
const SEED = 1;
const RATES = [1000, 500, 200, 150, 100, 75];

/** The pauses of many programs: 1 s, then 2 s. */
const fixed: Policy = (_, { retries, maxRetries }) => (retries >= maxRetries ? "stop" : 1000 * 2 ** retries);

/** The usual advice: the same with half to one and a half of it at random. */
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

/** The outcome at a rate; the same each time. */
export function play(perSecond: number, settings: Partial<Herd> = {}): Outcome {
  return simulate({ ...HERD, perSecond, burst: perSecond, ...settings }, SEED);
}

/** docs/herd.md. */
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
  return `# A thousand containers at once

A service that answers 429 above a rate meets ${HERD.clients} sophia-runs that start within ${HERD.startsWithinMs} ms. Each opens an environment and reads
it, with the default deadline of ${HERD.deadlineMs / 1000} s. Written by \`npm run herd\`: a simulation on a virtual clock with the decisions of
\`src/esc/transport/retry.ts\`, answers after ${HERD.latencyMs} ms, and a token bucket over all requests that holds those of one second. The tests
compare it.

## How many read their environment

Of ${HERD.clients}, and when the last one starts its program. Every one starts within the deadline: those that do not read ESC have emergency
access. Opening is repeated twice at most, since each time may mint credentials, so that the whole art is in the pauses. ${2 * HERD.clients}
requests in ${HERD.deadlineMs / 1000} s are 67 a second: below that no policy can serve all.

${success}

- _sophia-run_: the first pause is drawn from 15 % of the time that is left, the second from the part that follows up to 90 %.
  With \`Retry-After\` no pause is shorter than it says; the first is up to twice as long, the second up to 70 % of the time left.
- _fixed pauses_: 1 s, then 2 s. _pauses with jitter_: half to one and a half of those, at random.

## Requests over time

At 100 requests a second. A block stands for 20 requests in that second, a dot for fewer.

${spread}
`;
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

/** A Markdown table in columns of equal width. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
