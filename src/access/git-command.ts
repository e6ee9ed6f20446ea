/**
 * Runs the user's git to read a repository, since no library reads all formats of repositories. Another person may have written the
 * repository. So git must not start a program that the repository's configuration names, must not use the network, and must not
 * wait forever.
 *
 *     for await (const name of readGitRecords({ cwd, environment }, ["ls-files", "-z"])) …
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, isAbsolute } from "node:path";
import { Readable } from "node:stream";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { lookUp } from "../launch/program/find-executable.ts";
import { systemErrorCode } from "../system/errors.ts";
import { findIrregularTopFile, findIrregularFileBelow } from "./git-files.ts";
import { findSystemLimit } from "../system/system-limits.ts";

/** The folder and the environment of git. */
export interface Git {
  /** The folder in which git runs. */
  readonly cwd: string;
  /** The variables for git. Those by which git would start programs are not passed on. */
  readonly environment: Environment;
  /** Receives each line of git's standard error after git has succeeded. */
  readonly warned?: (line: string) => void;
}

/** The limit of the time between two chunks of output, in which the caller also works on the first chunk. */
const MAX_SILENCE_MS = 300_000;
/** After this time without output, the files of the repository are searched for a pipe for which git may wait. */
const PIPE_SEARCH_MS = 2000;
/**
 * The limit on the part of git's standard error that is stored. The rest is read and dropped, because git waits while the pipe is
 * full.
 */
const MAX_ERROR_CHARACTERS = 65_536;

/** Settings that keep git from starting programs which the configuration of a repository names. */
const SAFE_SETTINGS = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false"];
/** The options of each call of git. */
const SAFE_OPTIONS = [
  "--no-pager",
  // A replacement object would hide the original one.
  "--no-replace-objects",
  ...SAFE_SETTINGS.flatMap((setting) => ["-c", setting]),
];

/** Variables that keep git from using the network, asking questions and writing. */
const SAFE_VARIABLES = {
  // A partial clone would fetch missing objects, by programs that its configuration names. The value is the name of no
  // protocol, because Windows has no empty variables.
  GIT_ALLOW_PROTOCOL: "none",
  // This variable has the same purpose. Versions of git before 2.39.4 do not know it.
  GIT_NO_LAZY_FETCH: "1",
  // Keeps git from refreshing its index.
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  // Makes messages English: parseError looks for "fatal: ".
  LC_ALL: "C",
};

/**
 * Matches variables that git does not get: they name programs or a folder of templates, or make git trace to its standard
 * error.
 */
const WITHHELD_VARIABLE =
  /^GIT_(?:ASKPASS|EDITOR|EXTERNAL_DIFF|PAGER|PROXY_COMMAND|SEQUENCE_EDITOR|SSH|SSH_COMMAND|TEMPLATE_DIR|TRACE\w*)$/i;

const ERROR_PREFIX = /^(?:fatal|error): /;
const NOT_INSTALLED = "git is not installed, or not on the PATH";

/** Thrown if git is not installed, or if it fails, for example because there is no repository or no such object. */
export class GitRefusal extends Error {
  /** The first error of git, for messages. */
  readonly reason: string;
  constructor(reason: string) {
    super("git refuses");
    this.reason = reason;
  }
}

/**
 * Runs git, and yields the chunks of its standard output. Git starts no program and fetches nothing. If the caller leaves
 * the loop early, git is killed.
 *
 * @param input the standard input of git. If its iterator throws, git is killed and the error is lost: the caller must
 *   check before what may fail
 * @throws GitRefusal if git is not installed or ends with another status than 0
 * @throws SophiaError (git, 125) if a file that git reads is a pipe or a device, or if git writes nothing for five minutes;
 *   (system-limit, 125) if git cannot be started
 */
export async function* runGit(
  git: Git,
  args: readonly string[],
  input: AsyncIterable<string> | readonly string[] = [],
): AsyncGenerator<Buffer> {
  const child = await startGit(git, args);
  // Git may end before it has read its input. Then writing fails, and the exit status of git says why. This line must come
  // after the event "spawn": at a limit of open files Node.js creates no stream, although the type says that there is one.
  child.stdin.on("error", () => {});
  Readable.from(input)
    .on("error", () => void child.kill("SIGKILL"))
    .pipe(child.stdin);
  let failure: SophiaError | undefined;
  const silence = watchSilence(git.cwd, (reason) => {
    failure = reason;
    child.kill("SIGKILL");
  });
  // The standard error is read from the beginning, because git waits while the pipe is full.
  const errorOutput = readText(child.stderr);
  const closed = once(child, "close");
  // Nothing awaits the event if the caller leaves the loop early.
  closed.catch(() => {});
  try {
    for await (const chunk of child.stdout) {
      silence.restart();
      yield asBuffer(chunk);
    }
    const [status] = await closed;
    // This check comes first, because a git that was killed above has no exit status either.
    if (failure !== undefined) throw failure;
    if (status !== 0) throw new GitRefusal(parseError(await errorOutput));
    const { warned } = git;
    if (warned !== undefined) for (const line of (await errorOutput).split("\n")) warned(line);
  } finally {
    silence.cancel();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

/** Starts git, with its variables and options. @throws as {@link runGit} does */
async function startGit({ cwd, environment }: Git, args: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
  const file = await findGit(environment);
  if (file === undefined) throw new GitRefusal(NOT_INSTALLED);
  // Git would wait forever for a pipe in place of .git/config or .git/HEAD.
  const irregularFile = findIrregularTopFile(cwd);
  if (irregularFile !== undefined) throw irregularFileError(irregularFile);
  const gitEnvironment = [...environment].filter(([name]) => !WITHHELD_VARIABLE.test(name));
  const child = spawn(file, [...SAFE_OPTIONS, ...args], {
    cwd,
    env: { ...Object.fromEntries(gitEnvironment), ...SAFE_VARIABLES },
    stdio: ["pipe", "pipe", "pipe"],
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    const limit = findSystemLimit(systemErrorCode(error));
    throw limit === undefined ? new GitRefusal(NOT_INSTALLED) : new SophiaError({ code: "system-limit", ...limit });
  }
  return child;
}

/**
 * Calls `fail` if git writes nothing for five minutes, or if git seems to wait for a pipe.
 *
 * @returns functions that the caller must call: `restart` for each chunk, and `cancel` at the end, because timers keep this process
 *   running
 */
function watchSilence(
  cwd: string,
  fail: (reason: SophiaError) => void,
): { readonly restart: () => void; readonly cancel: () => void } {
  // Both timers restart with each chunk, but the files are searched only once, because there may be 200,000 of them.
  let hasSearched = false;
  const timers = [
    setTimeout(() => fail(silenceError()), MAX_SILENCE_MS),
    setTimeout(() => {
      const irregularFile = hasSearched ? undefined : findIrregularFileBelow(cwd);
      hasSearched = true;
      if (irregularFile !== undefined) fail(irregularFileError(irregularFile));
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

/**
 * Yields the records of git's output with `-z`, without the NUL byte at the end of each.
 *
 * @param end the byte that ends a record
 * @throws as {@link runGit} does
 */
export async function* readGitRecords(git: Git, args: readonly string[], end = 0): AsyncGenerator<Buffer> {
  for await (const records of readGitRecordBatches(git, args, end)) yield* records;
}

/**
 * Yields the complete records of each chunk together, because a step of an asynchronous generator takes longer than the
 * work on most records.
 */
export async function* readGitRecordBatches(
  git: Git,
  args: readonly string[],
  end = 0,
): AsyncGenerator<readonly Buffer[]> {
  /** The beginning of a record whose end is in a later chunk. */
  let incomplete: Buffer = Buffer.alloc(0);
  for await (const chunk of runGit(git, args)) {
    const bytes = incomplete.length === 0 ? chunk : Buffer.concat([incomplete, chunk]);
    const records: Buffer[] = [];
    let start = 0;
    for (let endIndex = bytes.indexOf(end); endIndex !== -1; endIndex = bytes.indexOf(end, start)) {
      records.push(bytes.subarray(start, endIndex));
      start = endIndex + 1;
    }
    incomplete = bytes.subarray(start);
    yield records;
  }
}

/**
 * Finds git in the absolute folders of the PATH. A relative folder could be in the repository, whose own `git` would be
 * executed.
 */
async function findGit(environment: Environment): Promise<string | undefined> {
  const searchEnvironment = new Map(
    Array.from(environment, ([name, value]) => [name, /^path$/i.test(name) ? absoluteFolders(value) : value] as const),
  );
  const program =
    process.platform === "win32"
      ? (await import("../launch/windows/find.ts")).findOnWindows("git", searchEnvironment)
      : lookUp("git", searchEnvironment.get("PATH"));
  return "file" in program ? program.file : undefined;
}

/** Returns a search path with only its absolute folders. On Windows a folder may be in quotes. */
function absoluteFolders(path: string): string {
  const folders = path.split(delimiter);
  return folders.filter((folder) => isAbsolute(folder.replaceAll('"', ""))).join(delimiter);
}

async function readText(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < MAX_ERROR_CHARACTERS) text += asBuffer(chunk).toString();
  return text;
}

function asBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0);
}

/**
 * Returns the first error in git's standard error, which may follow warnings: `fatal: not a git repository`, without
 * `fatal: `.
 */
function parseError(text: string): string {
  const lines = text.split("\n");
  return printable(lines.find((line) => ERROR_PREFIX.test(line)) ?? lines[0] ?? "").replace(ERROR_PREFIX, "");
}
