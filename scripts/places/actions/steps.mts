/** sophia-run in steps with `run:`, for the package and for the executable. */
import assert from "node:assert/strict";
import { builtForms } from "../installed.ts";
import type { Case } from "../report.ts";
import { has, LATER, PROJECT, reported, run, TOKEN, UNDECLARED, UNMET_CONTRACT, VALUES, workflow } from "./world.mts";

const ESC = "  env:\n    ESC_ENV: acme/sophia/ci\n    ESC_TOKEN: ${{ secrets.ESC_TOKEN }}";

function step(name: string, ...commands: readonly string[]): string {
  return `- name: ${name}\n  run: |\n${commands.map((command) => `    ${command}`).join("\n")}\n${ESC}`;
}

const FILES = { ...PROJECT, "unmet.json": UNMET_CONTRACT["sophia.contract.json"] };

const CASES: readonly Case[] = [
  [
    "statuses reach the shell of the step, and the last one is the step's",
    () => {
      const commands = [
        ["-- true", 0],
        ["-- sh -c 'exit 42'", 42],
        ["-- sh -c 'kill -TERM $$'", 143],
        ["-- sh -c 'kill -KILL $$'", 137],
        ["--contract unmet.json -- true", 78],
        ["--timeout never -- true", 125],
        ["-- /etc", 126],
        ["-- /places/nothing", 127],
      ] as const;
      const each = commands.map(([options]) => `sophia-run ${options} || echo "ended with $?"`);
      const text = workflow(step("each", ...each), step("last", "sophia-run -- sh -c 'exit 42'"), LATER);
      return run({ workflow: text, files: FILES, secrets: TOKEN }, (outcome) => {
        const ends = outcome.lines.filter((line) => line.startsWith("ended with"));
        assert.deepEqual(
          ends,
          commands.slice(1).map(([, status]) => `ended with ${status}`),
        );
        assert.deepEqual(outcome.steps.slice(1), ["job: each: Success", "job: last: Failure"]);
        assert.match(outcome.log, /^\[job\] exit status 42$/m);
      });
    },
  ],
  [
    "output is masked, also that of both streams in a file",
    () => {
      const text = workflow(
        step("masked", "sophia-run -- node report.js", 'sophia-run -- sh -c "node report.js >&2" 2>&1 | tee log.txt'),
        // act leaves the files of a job that fails.
        "- name: failed\n  run: grep -c '^[*][*][*]$' log.txt && exit 1",
      );
      return run({ workflow: text, secrets: TOKEN }, (outcome) => {
        const all = has({ ...VALUES, UNDECLARED });
        assert.deepEqual(reported(outcome), [...all, ...all]);
        assert.deepEqual(outcome.steps.slice(1), ["job: masked: Success", "job: failed: Failure"]);
        assert(outcome.lines.includes(`${Object.keys(VALUES).length}`));
      });
    },
  ],
  [
    // act gives steps a terminal, to which `export` prints no secret. GitHub's runner has pipes.
    "export --format github gives later steps values of several lines, and the runner masks each",
    () =>
      run(
        { workflow: workflow(step("export", "sophia-run export --format github | cat"), LATER), secrets: TOKEN },
        (outcome) => {
          assert.deepEqual(reported(outcome), has({ ...VALUES, UNDECLARED }));
        },
      ),
  ],
];

export const steps: readonly Case[] = builtForms().flatMap((form) =>
  CASES.map(([name, body]): Case => [
    `${form.name}: ${name}`,
    () => {
      form.install();
      return body();
    },
  ]),
);
