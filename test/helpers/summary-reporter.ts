/** A reporter of vitest for what a run has not tested. */
import { join } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { describeLeftOut, NAMES } from "./projects.mts";
import { repetitionCommand, SEED } from "./seed.ts";
import { slowFileLines } from "./slow-files.ts";

/**
 * Prints after a run which projects were not run, and how to run them. After `npm test` it also names the slow tests that cover the
 * change. If PROPERTY_SEED was set, it prints the seed, and the command that repeats what has failed.
 */
export default class SummaryReporter implements Reporter {
  #selected: readonly string[] = NAMES;

  onInit({ projects }: Vitest): void {
    this.#selected = projects.map(({ name }) => name);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (process.env["PROPERTY_SEED"] !== undefined) process.stdout.write(`PROPERTY_SEED=${SEED}\n`);
    const failed = modules.filter((module) => !module.ok()).map(({ relativeModuleId }) => relativeModuleId);
    const command = repetitionCommand(failed, process.env);
    if (command !== undefined) process.stdout.write(`the same again: ${command}\n`);
    const isNpmTest = process.env["npm_lifecycle_event"] === "test";
    const lines = [
      ...describeLeftOut(this.#selected),
      ...(isNpmTest ? slowFileLines(join(import.meta.dirname, "../..")) : []),
    ];
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
}
