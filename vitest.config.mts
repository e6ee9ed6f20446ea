import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { NAMES, projectOf, testFiles } from "./test/helpers/projects.mts";
import Sequencer from "./test/helpers/sequencer.mts";

const files = testFiles().map((path) => ({ path, project: projectOf(path) }));
/** The folder for a report as JSON. Runs of vitest that a test starts write none. */
const reports = process.env["TEST_REPORTS"] ?? "";

const seeded = join(import.meta.dirname, "test/helpers/fast-check.ts");

export default defineConfig({
  plugins: [
    {
      name: "seeded-fast-check",
      enforce: "pre",
      resolveId: (source, importer) => (source === "fast-check" && importer !== seeded ? seeded : undefined),
    },
  ],
  test: {
    env: { TEST_REPORTS: "" },
    projects: NAMES.map((name) => ({
      extends: true,
      test: {
        name,
        include: files.filter(({ project }) => project === name).map(({ path }) => path),
        // A file starts in the process of the one before it, which saves 0.3 s of processor time for each.
        isolate: false,
      },
    })),
    // Tests run real processes on machines with two cores: a generous limit hides no
    // hang (each process test has its own), a tight one reports a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Its default of 1 s is too short for a process that another one keeps from running.
    expect: { poll: { timeout: 30_000 } },
    // One for each core, since most tests wait for the processes that they start.
    maxWorkers: "100%",
    sequence: { sequencer: Sequencer },
    globalSetup: ["test/helpers/build.ts"],
    setupFiles: ["test/helpers/sync-limit.ts", "test/helpers/working-directory.ts"],
    reporters: [
      "default",
      // vitest adds it by itself only where no reporters are named.
      ...(process.env["GITHUB_ACTIONS"] === "true" ? ["github-actions"] : []),
      "./test/helpers/skip-reporter.ts",
      "./test/helpers/summary-reporter.ts",
      ...(reports === ""
        ? []
        : [["json", { outputFile: join(reports, `vitest-${process.pid}.json`) }] satisfies [string, unknown]]),
    ],
  },
});
