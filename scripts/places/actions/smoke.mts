/** The job `smoke` of this repository, where its secrets are not set. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Case } from "../report.ts";
import { run } from "./world.mts";

const smoke = { workflow: readFileSync(".github/workflows/checks.yml", "utf8"), job: "smoke" };

export const smokes: readonly Case[] = [
  [
    "the smoke check of a pull request without secrets is skipped, and says so",
    () =>
      run({ ...smoke, event: "pull_request", payload: { number: 1, pull_request: { number: 1 } } }, (outcome) => {
        assert.deepEqual(outcome.steps, ["smoke: Look for the secrets: Success"]);
        const { level, properties } = outcome.annotations[0] ?? {};
        assert.deepEqual([level, properties], ["notice", "title=Smoke check skipped"]);
      }),
  ],
  [
    "the smoke check of a push without secrets fails, and names the command that sets them",
    () =>
      run(smoke, (outcome) => {
        assert.deepEqual(outcome.steps, ["smoke: Look for the secrets: Failure"]);
        const { level, message = "" } = outcome.annotations[0] ?? {};
        assert.equal(level, "error");
        assert.match(message, /Set them: gh secret set ESC_ENV; gh secret set ESC_TOKEN$/);
      }),
  ],
];
