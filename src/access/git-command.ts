/** Runs git, since no library reads all formats of its repositories. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, isAbsolute } from "node:path";
import { Readable } from "node:stream";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { lookUp } from "../launch/program/find-executable.ts";
import { systemErrorCode } from "../system/errors.ts";
import { irregularAtTop, irregularBelow } from "./git-files.ts";
import { limitOf } from "../system/limits.ts";

export interface Git {
  readonly cwd: string;
  readonly environment: Environment;
  /** Receives each line of git's standard error if git succeeds. */
  readonly warned?: (line: string) => void;
}

const LONGEST_SILENCE_MS = 300_000;
/** After this time it is looked whether git waits for a pipe. */
const SUSPICIOUS_SILENCE_MS = 2000;
const MAX_ERROR_OUTPUT = 65_536;

/** Keep git from executing what a repository's configuration names. A replacement object would hide the original. */
const OPTIONS = [
  "--no-pager",
  "--no-replace-objects",
  ...["core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false"].flatMap((one) => ["-c", one]),
];

/** Prevent fetches of missing objects, which start programs of the remote. Git before 2.39.4 knows only the first. */
const VARIABLES = {
  // No protocol has this name. Windows has no empty variables.
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C",
};

/** Variables that name programs, or make git trace to its standard error. */
const UNNEEDED =
  /^GIT_(?:ASKPASS|EDITOR|EXTERNAL_DIFF|PAGER|PROXY_COMMAND|SEQUENCE_EDITOR|SSH|SSH_COMMAND|TEMPLATE_DIR|TRACE\w*)$/i;

const IS_ERROR = /^(?:fatal|error): /;
const NOT_INSTALLED = "git is not installed, or not on the PATH";

/** Thrown if git is not installed or fails: no repository, or no such object. */
export class GitRefusal extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super("git refuses");
    this.reason = reason;
  }
}

/**
 * Yields the chunks of git's standard output. Git starts no program and fetches nothing.
 *
 * @throws GitRefusal if git is not installed or ends with another status than 0
 * @throws SophiaError (git, 125) if a file that it reads is a pipe or a device, and if it writes nothing for five minutes;
 *   (system-limit, 125) if it cannot be started
 */
export async function* askGit(
  { cwd, environment, warned }: Git,
  args: readonly string[],
  input: AsyncIterable<string> | readonly string[] = [],
): AsyncGenerator<Buffer> {
  const file = await fileOfGit(environment);
  if (file === undefined) throw new GitRefusal(NOT_INSTALLED);
  const atTop = irregularAtTop(cwd);
  if (atTop !== undefined) throw waitsFor(atTop);
  const passed = [...environment].filter(([name]) => !UNNEEDED.test(name));
  const child = spawn(file, [...OPTIONS, ...args], {
    cwd,
    env: { ...Object.fromEntries(passed), ...VARIABLES },
    stdio: ["pipe", "pipe", "pipe"],
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    const limit = limitOf(systemErrorCode(error));
    throw limit === undefined ? new GitRefusal(NOT_INSTALLED) : new SophiaError({ code: "system-limit", ...limit });
  }
  // If git stops reading, its exit status says why. At a limit on open files there is no stream, as its types conceal.
  child.stdin.on("error", () => {});
  Readable.from(input)
    .on("error", () => void child.kill("SIGKILL"))
    .pipe(child.stdin);
  let problem: SophiaError | undefined;
  const stop = (why: SophiaError): void => {
    problem = why;
    child.kill("SIGKILL");
  };
  let isChecked = false;
  const timers = [
    setTimeout(() => stop(silence()), LONGEST_SILENCE_MS),
    setTimeout(() => {
      const irregular = isChecked ? undefined : irregularBelow(cwd);
      isChecked = true;
      if (irregular !== undefined) stop(waitsFor(irregular));
    }, SUSPICIOUS_SILENCE_MS),
  ];
  const errorOutput = textOf(child.stderr);
  const ended = once(child, "close");
  // It may reject after the last await.
  ended.catch(() => {});
  try {
    for await (const chunk of child.stdout) {
      for (const timer of timers) timer.refresh();
      yield asBuffer(chunk);
    }
    const [status] = await ended;
    if (problem !== undefined) throw problem;
    if (status !== 0) throw new GitRefusal(errorIn(await errorOutput));
    if (warned !== undefined) for (const line of (await errorOutput).split("\n")) warned(line);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

function silence(): SophiaError {
  return new SophiaError({
    code: "git",
    message: "git did not answer for five minutes",
    hint: "check the file system of the repository, then start again",
  });
}

function waitsFor(file: string): SophiaError {
  return new SophiaError({
    code: "git",
    message: `${printable(file)} is a pipe or a device, for which git would wait`,
    hint: "remove it, then start again",
  });
}

/** Yields the records of git's output with `-z`. @throws as `askGit` does */
export async function* recordsOfGit(git: Git, args: readonly string[], end = 0): AsyncGenerator<Buffer> {
  for await (const records of batchesOfGit(git, args, end)) yield* records;
}

/** Yields the records that come together: a step of an asynchronous generator costs more than most records. */
export async function* batchesOfGit(git: Git, args: readonly string[], end = 0): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of askGit(git, args)) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const records: Buffer[] = [];
    let from = 0;
    for (let at = text.indexOf(end); at !== -1; at = text.indexOf(end, from)) {
      records.push(text.subarray(from, at));
      from = at + 1;
    }
    rest = text.subarray(from);
    yield records;
  }
}

/** Finds git in the absolute folders of the PATH. A relative one could be in the repository. */
async function fileOfGit(environment: Environment): Promise<string | undefined> {
  const searched = new Map(
    Array.from(environment, ([name, value]) => [name, /^path$/i.test(name) ? absoluteFolders(value) : value] as const),
  );
  const program =
    process.platform === "win32"
      ? (await import("../launch/windows/find.ts")).findOnWindows("git", searched)
      : lookUp("git", searched.get("PATH"));
  return "file" in program ? program.file : undefined;
}

function absoluteFolders(path: string): string {
  const folders = path.split(delimiter);
  return folders.filter((folder) => isAbsolute(folder.replaceAll('"', ""))).join(delimiter);
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < MAX_ERROR_OUTPUT) text += asBuffer(chunk).toString();
  return text;
}

function asBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0);
}

/** Returns the error, which may follow warnings. */
function errorIn(text: string): string {
  const lines = text.split("\n");
  return printable(lines.find((line) => IS_ERROR.test(line)) ?? lines[0] ?? "").replace(IS_ERROR, "");
}
