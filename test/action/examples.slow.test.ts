/** The example workflows do in a runner what their comments promise. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ActionsIssuer, startActionsIssuer } from "../esc-server/actions-issuer.ts";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { type Job, runWorkflow, type WorkflowOptions } from "../helpers/actions/jobs.ts";
import { startRunner } from "../helpers/actions/runner.ts";
import { ESC_VALUES } from "../helpers/esc-values.ts";
import { cleanPath } from "../helpers/pack.ts";
import { CONTRACT_VALUES, folder } from "../helpers/sophia.ts";
import { readWorkflow } from "../helpers/workflow.ts";

const root = join(import.meta.dirname, "../..");
const examples = join(root, "examples/actions");
const DEPLOY_TOKEN = "github_pat_sentinel-codespaces-8c9d";

let esc: EscServer;
let issuer: ActionsIssuer;

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, "scripts/action.mjs")]);
  issuer = await startActionsIssuer();
  esc = await startEscServer({ oidc: { issuers: [issuer.trust], organization: "acme" } });
  for (const name of ["acme/sophia/ci", "acme/sophia/prod", "acme/sophia/codespaces"]) {
    esc.environment(name, { values: { ...ESC_VALUES, GH_FINE_GRAINED_TOKEN: secret(DEPLOY_TOKEN) } });
  }
});

afterAll(async () => {
  await esc.close();
  await issuer.close();
});

function workflow(name: string, options: Partial<WorkflowOptions> = {}): Promise<ReadonlyMap<string, Job>> {
  return runWorkflow(join(examples, name), {
    action: join(root, "action.yml"),
    ...options,
    env: {
      PULUMI_BACKEND_URL: esc.url,
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    },
  });
}

const PRINT = 'node -p "process.env.PULUMI_ACCESS_TOKEN + process.env.QDRANT_API_KEY?.length"';
const scripts = (commands: Readonly<Record<string, string>>) => ({
  "package.json": JSON.stringify({ scripts: commands }),
});

test("each example workflow asks for few permissions, and pins actions of others to commits", () => {
  const names = readdirSync(examples).filter((one) => one.endsWith(".yml"));
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    const { permissions, jobs } = readWorkflow(join(examples, name));
    const needsIdToken = ["auth-actions.yml", "oidc.yml", "deploy.yml"].includes(name);
    expect(permissions, name).toEqual(needsIdToken ? {} : { contents: "read" });
    for (const job of jobs) {
      expect(job.permissions, name).toEqual(needsIdToken ? { contents: "read", "id-token": "write" } : undefined);
    }
    const used = readFileSync(join(examples, name), "utf8").match(/uses: .*/g) ?? [];
    expect(used.length, name).toBeGreaterThan(0);
    for (const line of used) {
      expect(line).toMatch(
        /^uses: (?:[\w-]+\/[\w-]+@[0-9a-f]{40} # v[\d.]+|sophia-platform\/sophia-run@v\d+\.\d+\.\d+)$/,
      );
    }
  }
});

test("oidc.yml passes the configuration to the tests, and writes none of it to the log", async () => {
  const jobs = await workflow("oidc.yml", { files: scripts({ test: PRINT }) });
  const { steps, runner } = jobs.get("job") ?? expect.unreachable();
  expect(steps.map(({ status }) => status)).toEqual([0, 0]);
  expect(runner.log.lines).toContain(`***${CONTRACT_VALUES.QDRANT_API_KEY.length}`);
});

describe("deploy.yml", () => {
  test("deploys a complete configuration with one token", async () => {
    const jobs = await workflow("deploy.yml", { files: scripts({ deploy: PRINT }) });
    expect([...jobs.keys()]).toEqual(["gate", "deploy"]);
    const { steps, runner } = jobs.get("deploy") ?? expect.unreachable();
    expect(steps.map(({ status }) => status)).toEqual([0, 0]);
    expect(runner.log.lines).toContain("***undefined");
  });

  test("deploys nothing if the configuration is incomplete", async () => {
    const files = { "sophia.contract.json": JSON.stringify({ variables: { ABSENT: { required: true } } }) };
    const jobs = await workflow("deploy.yml", { files });
    expect([...jobs.keys()]).toEqual(["gate"]);
    expect(jobs.get("gate")?.steps.map(({ status }) => status)).toEqual([1]);
  });
});

test("codespaces.yml sets the two secrets if the environment is complete", async () => {
  // Takes down what it is called with, in place of GitHub's own.
  const path = folder({ gh: '#!/bin/sh\necho "$GH_REPO $GH_TOKEN $* $(cat)" >>"$0.log"\n' });
  chmodSync(join(path, "gh"), 0o755);
  writeFileSync(join(path, "gh.log"), "");
  const jobs = await workflow("codespaces.yml", {
    path: `${path}:${cleanPath}`,
    contexts: {
      github: { repository: "acme/sophia" },
      vars: { ESC_ENV_OF_CODESPACES: "acme/sophia/codespaces" },
      secrets: { ESC_TOKEN_OF_CODESPACES: esc.token },
    },
  });
  const { steps, runner } = jobs.get("secrets") ?? expect.unreachable();
  expect(steps.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(readFileSync(join(path, "gh.log"), "utf8")).toBe(
    `acme/sophia ${DEPLOY_TOKEN} secret set ESC_ENV --app codespaces acme/sophia/codespaces\n` +
      `acme/sophia ${DEPLOY_TOKEN} secret set ESC_TOKEN --app codespaces ${esc.token}\n`,
  );
  expect(runner.written()).not.toContain(esc.token);
});

test("the commit of a release is reproducible, and contains the whole action", async ({ skip }) => {
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  skip(spawnSync("git", ["diff", "--quiet", "HEAD"], { cwd: root }).status !== 0, "needs a work tree without changes");
  // What is made here stays out of the repository.
  const env = {
    ...process.env,
    GIT_OBJECT_DIRECTORY: folder(),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: git("rev-parse", "--path-format=absolute", "--git-path", "objects"),
  };
  const commit = (): string =>
    execFileSync(process.execPath, [join(root, "scripts/action.mjs"), "--commit"], { env, encoding: "utf8" }).trim();
  const made = commit();
  expect(commit()).toBe(made);
  expect(execFileSync("git", ["diff", "--name-status", "HEAD", made], { cwd: root, env, encoding: "utf8" })).toBe(
    "A\tdist-action/main.cjs\n",
  );
  // As a runner has it: the files of that commit, and nothing installed.
  const copy = folder();
  const archive = execFileSync("git", ["archive", made, "action.yml", "dist-action"], { cwd: root, env });
  execFileSync("tar", ["-x", "-C", copy], { input: archive });
  const runner = startRunner({ action: join(copy, "action.yml"), env: { PULUMI_BACKEND_URL: esc.url } });
  expect(await runner.action({ environment: "acme/sophia/ci", token: esc.token, export: "check" })).toBe(0);
});

test("the examples have sent no request that violates the API", () => {
  expect(esc.violations).toEqual([]);
});
