import { join } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { leftOut, NAMES } from "./projects.mts";
import { repetition, SEED } from "./seed.ts";
import { slowFileLines } from "./slow-files.ts";

/**
 * Tells after a run of some projects which tests were left out, and how to run them; after `npm test` those that cover a change;
 * and a seed that was set, with the command that runs what has failed with it again.
 */
export default class SummaryReporter implements Reporter {
  #selected: readonly string[] = NAMES;

  onInit({ projects }: Vitest): void {
    this.#selected = projects.map(({ name }) => name);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (process.env["PROPERTY_SEED"] !== undefined) process.stdout.write(`PROPERTY_SEED=${SEED}\n`);
    const failed = modules.filter((module) => !module.ok()).map(({ relativeModuleId }) => relativeModuleId);
    const command = repetition(failed, process.env);
    if (command !== undefined) process.stdout.write(`the same again: ${command}\n`);
    const isNpmTest = process.env["npm_lifecycle_event"] === "test";
    const lines = [...leftOut(this.#selected), ...(isNpmTest ? slowFileLines(join(import.meta.dirname, "../..")) : [])];
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
}
