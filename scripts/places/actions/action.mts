/** The action, as docs/github-action.md has it. */
import assert from "node:assert/strict";
import type { Case } from "../report.ts";
import {
  action,
  esc,
  has,
  LATER,
  PROJECT,
  reported,
  run,
  TOKEN,
  UNMET_CONTRACT,
  VALUES,
  WITH_TOKEN,
  workflow,
} from "./world.mts";

const FORK = { number: 1, pull_request: { number: 1, head: { repo: { fork: true } } } };

const SUMMARY = `### ✅ Configuration complete

Exported to the later steps: 2 variables. Contract: sophia.contract.json. ESC: acme/sophia/ci.

| Variable | State | From |
| --- | --- | --- |
| KEY | ✅ set | ESC acme/sophia/ci |
| PEM | ➖ left out | withheld by the input include |
| ENDING | ➖ left out | withheld by the input include |
| AWKWARD | ➖ left out | withheld by the input include |
| MODE | ✅ set | ESC acme/sophia/ci |
| PULUMI\\_ACCESS\\_TOKEN | ➖ left out | withheld by the input include |
| GH\\_FINE\\_GRAINED\\_TOKEN | ➖ left out | withheld by the input include |
| ABSENT | ➖ not set |  |`;

/** How long the action's step took, in seconds. */
function seconds(log: string): number {
  const [, minutes = "0", whole = "0"] = /Main config \[(?:(\d+)m)?(?:([\d.]+)s)?/.exec(log) ?? [];
  return Number(minutes) * 60 + Number(whole);
}

export const actions: readonly Case[] = [
  [
    "outputs: values of several lines reach the step that names them, and no other",
    () => {
      const names = ["KEY", "PEM", "ENDING", "AWKWARD"];
      const env = names.map((name) => `    ${name}: \${{ steps.config.outputs.${name} }}`);
      const named = `- run: node report.js\n  env:\n${env.join("\n")}`;
      const text = workflow(action({ ...WITH_TOKEN, export: "outputs" }), named, LATER);
      return run({ workflow: text, secrets: TOKEN }, (outcome) => {
        assert.deepEqual(reported(outcome), has(Object.fromEntries(names.map((name) => [name, VALUES[name] ?? ""]))));
        assert.deepEqual(outcome.steps.slice(1), [
          "job: config: Success",
          "job: node report.js: Success",
          "job: later: Success",
        ]);
      });
    },
  ],
  [
    "the summary has names, states and sources, and calls left out what include leaves out",
    () => {
      const text = workflow(action({ ...WITH_TOKEN, include: "KEY\nMODE\nABSENT" }), LATER);
      return run({ workflow: text, secrets: TOKEN }, (outcome) => {
        const [, summary] = /Summary - (### [^]*?)\n\n\[/.exec(outcome.log) ?? [];
        assert.equal(summary, SUMMARY);
        const { KEY = "", MODE = "" } = VALUES;
        assert.deepEqual(reported(outcome), has({ KEY, MODE }));
      });
    },
  ],
  [
    "a contract that is not met: an annotation at the variable's line, a failed job, and nothing exported",
    () => {
      const later = `${LATER}\n  if: always()`;
      const files = { ...PROJECT, ...UNMET_CONTRACT };
      return run({ workflow: workflow(action(WITH_TOKEN), later), files, secrets: TOKEN }, (outcome) => {
        const line = UNMET_CONTRACT["sophia.contract.json"].split("\n").findIndex((one) => one.includes("ABSENT")) + 1;
        assert.deepEqual(outcome.annotations, [
          {
            level: "error",
            properties: `title=Configuration,file=sophia.contract.json,line=${line}`,
            message: "ABSENT (Not there) is required and not set\nsophia-run set ABSENT --in acme/sophia/ci",
          },
        ]);
        assert.deepEqual(outcome.steps.slice(1), ["job: config: Failure", "job: later: Success"]);
        assert.deepEqual(reported(outcome), []);
        assert(!outcome.succeeds);
      });
    },
  ],
  [
    "an ESC that does not answer ends the step at the input timeout",
    () => {
      esc.failAlways("any", "hang");
      return run({ workflow: workflow(action({ ...WITH_TOKEN, timeout: "2s" }), LATER), secrets: TOKEN }, (outcome) => {
        assert.deepEqual(outcome.steps.slice(1), ["job: config: Failure"]);
        const [annotation] = outcome.annotations;
        assert.equal(annotation?.properties, "title=ESC");
        assert.match(
          annotation.message,
          /^ESC environment acme\/sophia\/ci cannot be read: timed out after 2 s .*\n.*the input timeout /,
        );
        assert(seconds(outcome.log) >= 2 && seconds(outcome.log) < 10, `it took ${seconds(outcome.log)} s`);
      });
    },
  ],
  [
    "an ESC that is unavailable is a warning if the job has the required variables, an error with require-esc",
    async () => {
      esc.failAlways("any", 503);
      const { KEY = "" } = VALUES;
      const work = { secrets: { ...TOKEN, KEY } };
      const job = (inputs: Readonly<Record<string, string>>): string =>
        `env:\n  KEY: \${{ secrets.KEY }}\n${workflow(action({ ...WITH_TOKEN, timeout: "2s", ...inputs }), LATER)}`;
      await run({ ...work, workflow: job({}) }, (outcome) => {
        assert.deepEqual(
          outcome.annotations.map(({ level, properties }) => [level, properties]),
          [["warning", "title=ESC"]],
        );
        assert.deepEqual(reported(outcome), has({ KEY }));
      });
      await run({ ...work, workflow: job({ "require-esc": "true" }) }, (outcome) => {
        assert.deepEqual(
          outcome.annotations.map(({ level, properties }) => [level, properties]),
          [["error", "title=sophia-run"]],
        );
        assert.match(outcome.annotations[0]?.message ?? "", /HTTP 503.*ESC is required/);
        assert.deepEqual(outcome.steps.slice(1), ["job: config: Failure"]);
      });
    },
  ],
  [
    "a pull request of a fork, which has no secrets: dummy values with fake, else the annotation names fake",
    async () => {
      const fork = { event: "pull_request", payload: FORK };
      const fake = "${{ github.event.pull_request.head.repo.fork }}";
      await run({ ...fork, workflow: workflow(action({ ...WITH_TOKEN, fake }), LATER) }, (outcome) => {
        assert.deepEqual(reported(outcome), has({ KEY: "fake-key" }));
        assert(outcome.succeeds);
      });
      await run({ ...fork, workflow: workflow(action(WITH_TOKEN), LATER) }, (outcome) => {
        const [annotation] = outcome.annotations;
        assert.equal(annotation?.properties, "title=ESC");
        assert.match(annotation.message, /the input fake$/m);
        assert(!outcome.succeeds);
      });
      assert.equal(esc.count("any"), 0);
    },
  ],
];
