import type { Reporter, Vitest } from "vitest/node";
import { leftOut, NAMES } from "./projects.mts";
import { SEED } from "./seed.ts";

/** Tells after a run of some projects which tests were left out, and how to run them; and a seed that was set. */
export default class SummaryReporter implements Reporter {
  #selected: readonly string[] = NAMES;

  onInit({ projects }: Vitest): void {
    this.#selected = projects.map(({ name }) => name);
  }

  onTestRunEnd(): void {
    if (process.env["PROPERTY_SEED"] !== undefined) process.stdout.write(`PROPERTY_SEED=${SEED}\n`);
    for (const line of leftOut(this.#selected)) process.stdout.write(`${line}\n`);
  }
}
