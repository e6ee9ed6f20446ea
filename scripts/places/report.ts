/** The cases of a place: runs them one by one, and ends with `N passed, N failed`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The folder that cases share with the script that has started them. */
export const shared: string = process.env["PLACES"] ?? "/places";

/** Milliseconds until `until` gives up. */
const PATIENCE = 60_000;
const INTERVAL = 50;
/** Characters of a line that says why no case runs. */
const LONGEST_CAUSE = 300;

export type Case = readonly [name: string, run: () => Promise<void>];

interface Outcome {
  readonly name: string;
  readonly outcome: "passed" | "failed";
  readonly message: string;
}

/** Runs cases, prints a line for each, and writes the report that scripts/count.mjs reads. */
export async function runCases(place: string, cases: readonly Case[]): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const [name, run] of cases) {
    const message = await run().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    outcomes.push({ name, outcome: message === undefined ? "passed" : "failed", message: message ?? "" });
    console.log(message === undefined ? `passed: ${name}` : `FAILED: ${name}\n  ${message.replaceAll("\n", "\n  ")}`);
  }
  writeFileSync(join(shared, "report.json"), JSON.stringify({ place, cases: outcomes }));
  const failed = outcomes.filter(({ outcome }) => outcome === "failed").length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** The exit status of cases that cannot run here, which space.sh reports as 2. */
const NOT_RUN = 75;

/** Opens the surroundings of all cases, such as base images. If that fails, says why in two lines, and ends as a place that cannot run. */
export async function openPlace<T>(place: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    console.log(`not run: ${place}: ${causeOf(error)}\n  check the engine, its network and its registry`);
    process.exit(NOT_RUN);
  }
}

/** Returns a message in one line: its first one, and the last one that names an error. */
function causeOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split("\n").map((line) => line.trim());
  const [first = "", ...rest] = lines.filter((line) => line !== "");
  const last = rest.findLast((line) => /error|failed|denied|cannot|no such/i.test(line));
  return (last === undefined ? first : `${first}: ${last}`).slice(0, LONGEST_CAUSE);
}

/** Returns the cases whose names have the text of the command line. Without one there is nothing to run, and the process ends. */
export function selected(cases: readonly Case[]): readonly Case[] {
  const [, , text = ""] = process.argv;
  const found = cases.filter(([name]) => name.includes(text));
  if (found.length > 0) return found;
  console.log(`no case has ${JSON.stringify(text)} in its name`);
  process.exit(1);
}

/** Waits until a state is reached, which is asked for: what systemd and engines do is seen no other way. */
export async function until<T>(what: string, ask: () => T | Promise<T>, isReached: (state: T) => boolean): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const state = await ask();
    if (isReached(state)) return state;
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE / 1000} s, but ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
