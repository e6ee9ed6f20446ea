import type { Reporter, Vitest } from "vitest/node";
import { NAMES, PROJECTS, projectOf, testFiles } from "./projects.mts";
import { SEED } from "./seed.ts";

/** Tells after a run of some projects which tests were left out, and how to run them; and a seed that was set. */
export default class SummaryReporter implements Reporter {
  #selected: readonly string[] = NAMES;

  onInit({ projects }: Vitest): void {
    this.#selected = projects.map(({ name }) => name);
  }

  onTestRunEnd(): void {
    if (process.env["PROPERTY_SEED"] !== undefined) process.stdout.write(`PROPERTY_SEED=${SEED}\n`);
    const files = testFiles();
    for (const project of NAMES.filter((name) => !this.#selected.includes(name))) {
      const count = files.filter((file) => projectOf(file) === project).length;
      process.stdout.write(`not in this run: ${project}, ${count} of ${files.length} files: ${PROJECTS[project]}\n`);
    }
    if (this.#selected.length < NAMES.length) process.stdout.write("everything: npm run test:all\n");
  }
}
