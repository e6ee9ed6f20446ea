/** The workflows of examples/actions, as they are but for the address of Pulumi Cloud. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { installPackage, packPackage } from "../../../test/helpers/pack.ts";
import type { Case } from "../report.ts";
import { example } from "./act.mts";
import {
  esc,
  github,
  has,
  ID_TOKEN,
  issuer,
  PROJECT,
  prod,
  reported,
  run,
  TOKEN,
  UNDECLARED,
  UNMET_CONTRACT,
  VALUES,
} from "./world.mts";

/** A project with the package as its dependency, and a test that shows values in other forms, too. */
async function installed(): Promise<Readonly<Record<string, string | Buffer>>> {
  const folder = "/srv/installed";
  mkdirSync(folder);
  const tarball = await packPackage(folder);
  const test = 'node report.js && printf %s "$KEY" | base64 && test -z "$STATUS" || exit $STATUS';
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { test } }));
  await installPackage(tarball, folder, folder);
  const names = [basename(tarball), "package.json", "package-lock.json"];
  return { ...PROJECT, ...Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))])) };
}

const job = { workflow: example("job.yml"), files: await installed() };
const secrets = { ...TOKEN, ESC_ENV: "acme/sophia/ci" };

/** Pulumi Cloud's address is an input of the action, which no variable sets. */
const authActions = example("auth-actions.yml").replace(/^( +)organization: .*$/m, `$&\n$1cloud-url: ${esc.url}`);

function calls(): readonly (readonly [string, number | undefined])[] {
  return esc.calls.map(({ operation, status }) => [operation, status]);
}

const READ = [
  ["open", 200],
  ["read", 200],
] as const;

const GATE = "The contract is not met: nothing was exported.";

const codespaces = {
  workflow: example("codespaces.yml"),
  event: "workflow_dispatch",
  secrets: { ESC_TOKEN_OF_CODESPACES: esc.token },
  variables: { ESC_ENV_OF_CODESPACES: "acme/sophia/prod" },
};

export const examples: readonly Case[] = [
  [
    "job.yml: the tests have the values and not the token, and the log shows no value, also in base64",
    () =>
      run({ ...job, secrets }, (outcome) => {
        assert.deepEqual(outcome.steps, [
          "job: actions/checkout: Success",
          "job: actions/setup-node: Success",
          "job: npm ci: Success",
          "job: node_modules/.bin/sophia-run -- npm test: Success",
        ]);
        assert.deepEqual(reported(outcome), has({ ...VALUES, UNDECLARED }));
        assert(outcome.lines.some((line) => /^\*\*\*.{1,3}$/.test(line)));
        assert.deepEqual(calls(), READ);
      }),
  ],
  [
    "job.yml: the status of the tests is that of the step",
    () =>
      run({ ...job, secrets, env: { STATUS: "42" } }, (outcome) => {
        assert.equal(outcome.steps.at(-1), "job: node_modules/.bin/sophia-run -- npm test: Failure");
        assert.match(outcome.log, /^\[job\] exit status 42$/m);
        assert(!outcome.succeeds);
      }),
  ],
  [
    "job.yml: a contract that is not met ends the step with 78, and the tests do not run",
    () =>
      run({ ...job, secrets, files: { ...job.files, ...UNMET_CONTRACT } }, (outcome) => {
        assert.equal(outcome.steps.at(-1), "job: node_modules/.bin/sophia-run -- npm test: Failure");
        assert.match(outcome.log, /^\[job\] exit status 78$/m);
        assert.deepEqual(reported(outcome), []);
        assert(outcome.lines.includes("  ✗ ABSENT (Not there) is required and not set"));
      }),
  ],
  [
    "oidc.yml: the job's ID token is exchanged, and later steps have the declared values",
    () =>
      run({ workflow: example("oidc.yml"), env: ID_TOKEN }, (outcome) => {
        assert.deepEqual(outcome.steps, [
          "job: actions/checkout: Success",
          "job: sophia-platform/sophia-run: Success",
          "job: npm test: Success",
        ]);
        assert.deepEqual(reported(outcome), has(VALUES));
        assert.deepEqual(outcome.annotations, []);
        assert.equal(issuer.audiences.at(-1), "urn:pulumi:org:acme");
        assert.deepEqual(calls(), [["exchangeToken", 200], ...READ]);
      }),
  ],
  [
    "oidc.yml: an ID token of another repository fails the job, and no later step runs",
    () => {
      esc.oidc = { issuers: [{ ...issuer.trust, subject: "repo:acme/other:ref:refs/heads/main" }] };
      return run({ workflow: example("oidc.yml"), env: ID_TOKEN }, (outcome) => {
        assert.equal(outcome.steps.at(-1), "job: sophia-platform/sophia-run: Failure");
        const [annotation] = outcome.annotations;
        assert.equal(annotation?.properties, "title=ESC");
        assert.match(
          annotation.message,
          /^ESC environment acme\/sophia\/ci was refused: exchanging the ID token: .*\n.*audience and subject/,
        );
        assert.deepEqual(calls(), [["exchangeToken", 400]]);
      });
    },
  ],
  [
    "auth-actions.yml: the token of pulumi/auth-actions opens ESC, and the tests do not have it",
    () =>
      run({ ...job, workflow: authActions, env: ID_TOKEN }, (outcome) => {
        assert.deepEqual(outcome.steps, [
          "job: actions/checkout: Success",
          "job: actions/setup-node: Success",
          "job: npm ci: Success",
          "job: pulumi/auth-actions: Success",
          "job: node_modules/.bin/sophia-run --exclude PULUMI_ACCESS_TOKEN -- npm test: Success",
        ]);
        const { PULUMI_ACCESS_TOKEN: _, ...others } = VALUES;
        assert.deepEqual(reported(outcome), has({ ...others, UNDECLARED }));
        assert.deepEqual(calls(), [["exchangeToken", 200], ...READ]);
      }),
  ],
  [
    "deploy.yml: a complete configuration is deployed by a step that alone has the one token",
    () =>
      run({ workflow: example("deploy.yml"), env: ID_TOKEN }, (outcome) => {
        assert.deepEqual(outcome.steps, [
          "gate: actions/checkout: Success",
          "gate: sophia-platform/sophia-run: Success",
          "deploy: actions/checkout: Success",
          "deploy: sophia-platform/sophia-run: Success",
          "deploy: npm run deploy: Success",
        ]);
        const { PULUMI_ACCESS_TOKEN = "" } = VALUES;
        assert.deepEqual(reported(outcome), has({ PULUMI_ACCESS_TOKEN }));
      }),
  ],
  [
    "deploy.yml: nothing is deployed if the contract is not met",
    () =>
      run({ workflow: example("deploy.yml"), files: { ...PROJECT, ...UNMET_CONTRACT }, env: ID_TOKEN }, (outcome) => {
        assert.deepEqual(outcome.steps, [
          "gate: actions/checkout: Success",
          "gate: sophia-platform/sophia-run: Failure",
        ]);
        assert(outcome.log.includes(GATE));
        assert(!outcome.succeeds);
      }),
  ],
  [
    "codespaces.yml: gh seals and sends both secrets, by the token of the environment",
    () =>
      run(codespaces, (outcome) => {
        const authorization = `token ${VALUES["GH_FINE_GRAINED_TOKEN"]}`;
        assert.deepEqual(github.takeSecrets(), [
          { path: "acme/sophia/codespaces ESC_ENV", authorization, length: "acme/sophia/prod".length },
          { path: "acme/sophia/codespaces ESC_TOKEN", authorization, length: esc.token.length },
        ]);
        assert(outcome.succeeds);
      }),
  ],
  [
    "codespaces.yml: sets nothing while the environment is incomplete",
    () => {
      prod.revise({ values: {} });
      return run(codespaces, (outcome) => {
        assert.deepEqual(github.takeSecrets(), []);
        assert.deepEqual(outcome.steps, [
          "secrets: actions/checkout: Success",
          "secrets: sophia-platform/sophia-run: Failure",
        ]);
      });
    },
  ],
];
