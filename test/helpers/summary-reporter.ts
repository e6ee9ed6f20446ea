import { join } from "node:path";
import type { Reporter, Vitest } from "vitest/node";
import { leftOut, NAMES } from "./projects.mts";
import { SEED } from "./seed.ts";
import { slowFileLines } from "./slow-files.ts";

/**
 * Tells after a run of some projects which tests were left out, and how to run them; after `npm test` those that cover a change;
 * and a seed that was set.
 */
export default class SummaryReporter implements Reporter {
  #selected: readonly string[] = NAMES;

  onInit({ projects }: Vitest): void {
    this.#selected = projects.map(({ name }) => name);
  }

  onTestRunEnd(): void {
    if (process.env["PROPERTY_SEED"] !== undefined) process.stdout.write(`PROPERTY_SEED=${SEED}\n`);
    const isNpmTest = process.env["npm_lifecycle_event"] === "test";
    const lines = [...leftOut(this.#selected), ...(isNpmTest ? slowFileLines(join(import.meta.dirname, "../..")) : [])];
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
}
