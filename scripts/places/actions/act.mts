/** Jobs of workflows, run by act as the user `job`, in a repository of its own on github.com. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, succeed } from "../processes.ts";
import { REPOSITORIES } from "./github.mts";

/** The beginning of every secret. It is in no file of any repository. */
const SENTINEL = randomBytes(8).toString("hex");

const REPOSITORY = "acme/sophia";
const HOME = "/home/job";
const ENVIRONMENT = [`HOME=${HOME}`, "PATH=/opt/node24:/usr/local/bin:/usr/bin:/bin"];
const USER = ["setpriv", "--reuid=3001", "--regid=3001", "--clear-groups"];
/** Folders in which a job may write. */
const WRITABLE = [HOME, "/tmp", "/var/tmp", "/dev/shm", "/run"];

/** A secret that a case can tell from others. */
export function sentinel(name: string): string {
  return `${SENTINEL}-${name}`;
}

export interface Work {
  /** The workflow's text. */
  readonly workflow: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly event?: string;
  readonly payload?: object;
  readonly job?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  /** Variables of the runner, for each step. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly succeeds: boolean;
  /** All that act printed. */
  readonly log: string;
  /** `JOB: STEP: Success` or `…: Failure` of the main stages, where STEP is a name, an action or a command's first line. */
  readonly steps: readonly string[];
  /** The lines that steps wrote, but for commands. */
  readonly lines: readonly string[];
  readonly annotations: readonly Annotation[];
}

interface Annotation {
  readonly level: string;
  readonly properties: string;
  readonly message: string;
}

/** A command in a folder, as the user of the jobs. */
function asUser(folder: string, command: readonly string[]): readonly string[] {
  return [...USER, "env", "-C", folder, "-i", ...ENVIRONMENT, ...command];
}

/** Runs a workflow. @throws AssertionError for a secret in the log, or in a file that the job left */
export async function act(work: Work): Promise<Outcome> {
  const clone = await publish(work);
  const inputs = "/srv/inputs";
  rmSync(inputs, { recursive: true, force: true });
  mkdirSync(inputs);
  // Options and variables of act would be in the environment of each step.
  const lines = (pairs: Readonly<Record<string, string>>): string =>
    Object.entries(pairs)
      .map(([name, value]) => `${name}=${value}\n`)
      .join("");
  writeFileSync(`${inputs}/secrets`, lines({ GITHUB_TOKEN: `ghs_${sentinel("job")}`, ...work.secrets }));
  writeFileSync(`${inputs}/vars`, lines(work.variables ?? {}));
  writeFileSync(`${inputs}/env`, lines(work.env ?? {}));
  writeFileSync(`${inputs}/event.json`, JSON.stringify(work.payload ?? {}));
  const command = [
    "act",
    work.event ?? "push",
    "--platform",
    "ubuntu-24.04=-self-hosted",
    "--log-prefix-job-id",
    "--no-cache-server",
    // The real checkout, from github.com; actions by their commits, as GitHub's runner fetches them.
    "--no-skip-checkout",
    "--use-new-action-cache",
    `--secret-file=${inputs}/secrets`,
    `--var-file=${inputs}/vars`,
    `--env-file=${inputs}/env`,
    `--eventpath=${inputs}/event.json`,
    ...(work.job === undefined ? [] : ["--job", work.job]),
  ];
  const { status, stdout, stderr } = await run(asUser(clone, command));
  const log = `${stdout}${stderr}`;
  assert(status === 0 || status === 1, `act ended with ${status}\n${log}`);
  assertNoSecret(log);
  await assertNothingLeft();
  return { succeeds: status === 0, log, ...read(log) };
}

/** Makes the repository of a workflow, and a clone of it. */
async function publish({ workflow, files }: Work): Promise<string> {
  const folder = join(REPOSITORIES, REPOSITORY);
  const clone = join(HOME, "sophia");
  for (const each of [folder, clone]) rmSync(each, { recursive: true, force: true });
  for (const [name, content] of Object.entries({ ...files, ".github/workflows/workflow.yml": workflow })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const author = ["-c", "user.name=Places", "-c", "user.email=places@example.test"];
  await succeed(["git", "init", "--quiet", "--initial-branch=main", folder]);
  await succeed(["git", "-C", folder, "add", "--all"]);
  await succeed(["git", "-C", folder, ...author, "commit", "--quiet", "--message=A project"]);
  await succeed(["git", "-C", folder, "update-ref", "refs/pull/1/merge", "HEAD"]);
  await succeed(asUser(HOME, ["git", "clone", "--quiet", `https://github.com/${REPOSITORY}`, clone]));
  return clone;
}

/** Tokens of the stand-ins, and ID tokens, have these forms. */
function assertNoSecret(log: string): void {
  const base64 = Buffer.from(SENTINEL).toString("base64url");
  const found = new RegExp(
    `^.*(?:${SENTINEL}|${base64.slice(0, 18)}|\\bpul-[0-9a-f]{40}|\\beyJ[\\w-]+\\.eyJ).*$`,
    "m",
  ).exec(log);
  assert.equal(found?.[0], undefined, "the log has a secret");
}

async function assertNothingLeft(): Promise<void> {
  const pattern = `${SENTINEL}|pul-[0-9a-f]{40}`;
  const folders = WRITABLE.join(" ");
  // The code of the actions has tokens of tests.
  const find = `find ${folders} -xdev -path '*/act/actions' -prune -o -user job -type f`;
  const left = await succeed(["sh", "-c", `${find} -exec grep -lE '${pattern}' {} +; exit 0`]);
  assert.equal(left, "", "the job left a secret");
  // act leaves the folder of a job that failed.
  await succeed(["sh", "-c", `rm -rf ${HOME}/.cache/act/????????????????`]);
}

const LEVELS = /^\[[\w-]+\] +\S+ +::(error|warning|notice)(?: ([^:]*))?::(.*)$/gmu;

function read(log: string): Pick<Outcome, "steps" | "lines" | "annotations"> {
  const ends = log.matchAll(/^\[([\w-]+)\] +\S+ +(Success|Failure) - Main (.*?)(?:@[\w.]+)?(?: \[[^\]]*\])?$/gmu);
  return {
    steps: Array.from(ends, ([, job = "", how = "", step = ""]) => `${job}: ${step}: ${how}`),
    lines: Array.from(log.matchAll(/^\[[\w-]+\] {3}\| (.*?)\r?$/gm), ([, line = ""]) => line),
    annotations: Array.from(log.matchAll(LEVELS), ([, level = "", properties = "", message = ""]) => ({
      level,
      properties,
      message: message.replaceAll("%0A", "\n").replaceAll("%25", "%"),
    })),
  };
}

export function example(name: string): string {
  return readFileSync(`examples/actions/${name}`, "utf8");
}
