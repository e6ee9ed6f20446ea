/** Runs the user's git to read a repository, since no library reads all formats of repositories. Git starts no program of the repository. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
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
  /** The folder in which git runs. */
  readonly cwd: string;
  /** Git gets these variables, but for those that it does not need. */
  readonly environment: Environment;
  /** Receives each line of git's standard error once git has succeeded. */
  readonly warned?: (line: string) => void;
}

/** The longest time without output. The caller's work on a chunk counts, too. */
const LONGEST_SILENCE_MS = 300_000;
/** After this time without output the repository's files are searched for a pipe that git may wait for. */
const PIPE_SEARCH_MS = 2000;
/** The characters of git's standard error that are kept. */
const MAX_ERROR_OUTPUT = 65_536;

/** These options keep git from executing what a repository's configuration names. A replacement object would hide the original. */
const OPTIONS = [
  "--no-pager",
  "--no-replace-objects",
  ...["core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false"].flatMap((one) => ["-c", one]),
];

/** These variables keep git from the network, from questions and from writing. */
const VARIABLES = {
  // A partial clone would fetch missing objects, by programs that its configuration names. No protocol has this name; Windows has no
  // empty variables.
  GIT_ALLOW_PROTOCOL: "none",
  // The same. Git before 2.39.4 does not know it.
  GIT_NO_LAZY_FETCH: "1",
  // Git does not refresh its index.
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  // The messages that are compared are English.
  LC_ALL: "C",
};

/** Git does not get these variables, which name programs or a folder of templates, or make git trace to its standard error. */
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
 * Runs git, and yields the chunks of its standard output. Git starts no program and fetches nothing; it is killed if the caller
 * leaves the loop early.
 *
 * @param input of git. If it throws, git is killed and the error is lost, so that callers check before what may fail
 * @throws GitRefusal if git is not installed or ends with another status than 0
 * @throws SophiaError (git, 125) if a file that it reads is a pipe or a device, and if it writes nothing for five minutes;
 *   (system-limit, 125) if it cannot be started
 */
export async function* askGit(
  git: Git,
  args: readonly string[],
  input: AsyncIterable<string> | readonly string[] = [],
): AsyncGenerator<Buffer> {
  const child = await startGit(git, args);
  // Git may end before it has read its input: its exit status says why. This follows "spawn", since at a limit on open files Node.js
  // makes no stream, although its type says that there is one.
  child.stdin.on("error", () => {});
  Readable.from(input)
    .on("error", () => void child.kill("SIGKILL"))
    .pipe(child.stdin);
  let failure: SophiaError | undefined;
  const silence = watchSilence(git.cwd, (reason) => {
    failure = reason;
    child.kill("SIGKILL");
  });
  // Read from the beginning: git would wait for a full pipe.
  const errorOutput = textOf(child.stderr);
  const closed = once(child, "close");
  // It is not awaited if the caller leaves the loop early.
  closed.catch(() => {});
  try {
    for await (const chunk of child.stdout) {
      silence.restart();
      yield asBuffer(chunk);
    }
    const [status] = await closed;
    // First: git that was killed has no status either.
    if (failure !== undefined) throw failure;
    if (status !== 0) throw new GitRefusal(errorIn(await errorOutput));
    const { warned } = git;
    if (warned !== undefined) for (const line of (await errorOutput).split("\n")) warned(line);
  } finally {
    silence.cancel();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

/** Starts git, with its variables and options. @throws as {@link askGit} does */
async function startGit({ cwd, environment }: Git, args: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
  const file = await fileOfGit(environment);
  if (file === undefined) throw new GitRefusal(NOT_INSTALLED);
  // Git would wait for a pipe in the place of .git/config or .git/HEAD.
  const irregularFile = irregularAtTop(cwd);
  if (irregularFile !== undefined) throw irregularFileError(irregularFile);
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
  return child;
}

/** Calls `end` if git writes nothing for too long. @returns functions that restart the time, and that end the watch */
function watchSilence(
  cwd: string,
  end: (reason: SophiaError) => void,
): { readonly restart: () => void; readonly cancel: () => void } {
  // The time restarts with each chunk, but the files are searched once: there may be 200,000.
  let hasSearched = false;
  const timers = [
    setTimeout(() => end(silenceError()), LONGEST_SILENCE_MS),
    setTimeout(() => {
      const irregularFile = hasSearched ? undefined : irregularBelow(cwd);
      hasSearched = true;
      if (irregularFile !== undefined) end(irregularFileError(irregularFile));
    }, PIPE_SEARCH_MS),
  ];
  return {
    restart: () => {
      for (const timer of timers) timer.refresh();
    },
    cancel: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function silenceError(): SophiaError {
  return new SophiaError({
    code: "git",
    message: "git did not answer for five minutes",
    hint: "check the file system of the repository, then start again",
  });
}

function irregularFileError(file: string): SophiaError {
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

/** Yields the whole records of each chunk together: a step of an asynchronous generator costs more than most records. */
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

/** Finds git in the absolute folders of the PATH: a relative folder could be in the repository, whose `git` would be executed. */
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

/** Keeps the absolute folders of a search path. Windows may have them in quotes. */
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
