/** The cases of GitHub Actions. */
import assert from "node:assert/strict";
import { type Case, runCases } from "../report.ts";
import { actions } from "./action.mts";
import { examples } from "./examples.mts";
import { smokes } from "./smoke.mts";
import { steps } from "./steps.mts";
import { esc, github, issuer, reset } from "./world.mts";

await runCases(
  "actions",
  [...examples, ...actions, ...steps, ...smokes].map(([name, body]): Case => [
    name,
    async () => {
      reset();
      await body();
      assert.deepEqual(esc.violations, []);
    },
  ]),
);
await esc.close();
await issuer.close();
github.close();
