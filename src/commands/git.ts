/** Questions to git, as a program: the only reader of its repositories that knows all their formats. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";

export interface Git {
  /** The folder in which it is asked. */
  readonly cwd: string;
  /** What git gets: no secret has business there. */
  readonly environment: Environment;
}

/** After so long without a word from it, git is given up. */
const LONGEST_SILENCE_MS = 300_000;
const LONGEST_COMPLAINT = 4096;

/** Git is not installed, or its answer is no: it is no repository, or nothing of the name is in it. */
export class GitRefusal extends Error {
  readonly complaint: string;
  constructor(complaint: string) {
    super("git refuses");
    this.complaint = complaint;
  }
}

/**
 * What git writes to its standard output, as it comes.
 *
 * @param input what git reads from its standard input
 * @throws GitRefusal where git is not installed or ends with another status than 0
 * @throws SophiaError (git, 125) where it says nothing for five minutes
 */
export async function* askGit(
  { cwd, environment }: Git,
  args: readonly string[],
  input?: AsyncIterable<string>,
): AsyncGenerator<Buffer> {
  // No program of the repository's choice is run to find changes, and nothing in the repository is written.
  const child = spawn("git", ["-c", "core.fsmonitor=false", ...args], {
    cwd,
    env: { ...Object.fromEntries(environment), GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // What git does not read any more is not missed: its status says why.
  child.stdin.on("error", () => {});
  try {
    await once(child, "spawn");
  } catch {
    throw new GitRefusal("git is not installed, or not on the PATH");
  }
  if (input === undefined) child.stdin.end();
  else
    Readable.from(input)
      .on("error", () => void child.kill("SIGKILL"))
      .pipe(child.stdin);
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    child.kill("SIGKILL");
  }, LONGEST_SILENCE_MS);
  const complaint = textOf(child.stderr);
  const ended = once(child, "close");
  // It may fail when nobody waits for it any more.
  ended.catch(() => {});
  try {
    for await (const chunk of child.stdout) {
      timer.refresh();
      yield asBuffer(chunk);
    }
    const [status] = await ended;
    if (silent) {
      throw new SophiaError({
        code: "git",
        message: "git did not answer for five minutes",
        hint: "check the file system of the repository, then start again",
      });
    }
    if (status !== 0) throw new GitRefusal(firstLine(await complaint));
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

/** All records of an answer to a question with `-z`. @throws as `askGit` does */
export async function* recordsOfGit(git: Git, args: readonly string[], end = 0): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of askGit(git, args)) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = text.indexOf(end); at !== -1; at = text.indexOf(end, from)) {
      yield text.subarray(from, at);
      from = at + 1;
    }
    rest = text.subarray(from);
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < LONGEST_COMPLAINT) text += asBuffer(chunk).toString();
  return text;
}

function asBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0);
}

function firstLine(text: string): string {
  return printable(text.split("\n")[0] ?? "").replace(/^(?:fatal|error): /, "");
}
