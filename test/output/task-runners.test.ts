import { expect, test } from "vitest";
import { runnerAdvice } from "../../src/output/task-runners.ts";
import { resolutionOf } from "../contract/contracts.ts";

test.each([
  [{ TURBO_HASH: "3d0a0bf741761293" }, "turbo.json"],
  [{ NX_TASK_TARGET_PROJECT: "api" }, "--with-env-vars"],
  [{ TURBO_TOKEN: "x", NX_VERBOSE_LOGGING: "true" }, undefined],
])("%j: %s", (values, found) => {
  const advice = runnerAdvice(resolutionOf(values));
  if (found === undefined) expect(advice).toBeUndefined();
  else expect(advice).toContain(found);
});
