import { expect, test } from "vitest";
import { findTaskRunnerAdvice } from "../../src/output/unmet.ts";
import { resolutionOf } from "../contract/contracts.ts";
import { folder, sophia } from "../helpers/sophia.ts";

test.each([
  [{ TURBO_HASH: "3d0a0bf741761293" }, "turbo.json"],
  [{ NX_TASK_TARGET_PROJECT: "api" }, "--with-env-vars"],
  [{ TURBO_TOKEN: "x", NX_VERBOSE_LOGGING: "true" }, undefined],
])("with the variables %j the advice about the task runner contains %s", (values, fragment) => {
  const advice = findTaskRunnerAdvice(resolutionOf(values));
  if (fragment === undefined) expect(advice).toBeUndefined();
  else expect(advice).toContain(fragment);
});

test("the advice about the task runner follows the violations, since the project may use only .env", async () => {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { KEY: { required: true } } }) });
  const env = { TURBO_HASH: "3d0a0bf741761293" };
  const started = await sophia(["--", "true"], { cwd, env });
  expect(started.stderr).toMatch(/^sophia-run: the contract is not met .*\n {2}✗ KEY is required/);
  expect(started.stderr).toMatch(/--no-contract launches anyway\n {2}Turborepo passes on .*\["ESC_\*"\]\n$/);
  const checked = await sophia(["check"], { cwd, env });
  expect(checked.stdout).toMatch(/ set ESC_ENV and ESC_TOKEN\n {3}Turborepo passes on .*\["ESC_\*"\]\n$/);
});
