import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests run real processes on machines with two cores: a generous limit hides no
    // hang (each process test has its own), a tight one reports a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One for each core, since most tests wait for the processes that they start.
    maxWorkers: "100%",
    globalSetup: ["test/helpers/build.ts"],
    reporters: [
      "default",
      // vitest adds it by itself only where no reporters are named.
      ...(process.env["GITHUB_ACTIONS"] === "true" ? ["github-actions"] : []),
      "./test/helpers/skip-reporter.ts",
    ],
  },
});
