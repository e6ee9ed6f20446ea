import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests run real processes on machines with two cores: a generous limit hides no
    // hang (each process test has its own), a tight one reports a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ["test/helpers/build.ts"],
    reporters: ["default", "./test/helpers/skip-reporter.ts"],
  },
});
