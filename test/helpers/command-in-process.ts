/**
 * Runs a command of sophia-run, such as `set`, to its end in the process of the test. It does what src/main.ts does, but with an
 * environment, streams and a terminal of the test. Thus a test takes milliseconds where `sophia` takes the start of a process.
 */
import { parseCommandLine } from "../../src/command-line/command-line.ts";
import { dispatch } from "../../src/commands/dispatch.ts";
import { applyProjectOption } from "../../src/commands/parts/project-option.ts";
import type { Context } from "../../src/core/context.ts";
import { SophiaError } from "../../src/core/error.ts";
import { printError } from "../../src/output/stderr.ts";
import { folder, type RunOptions } from "./sophia.ts";

interface CommandOptions extends Omit<RunOptions, "input"> {
  readonly input?: string | Uint8Array;
  /**
   * The answers to the questions, in their order; undefined for the end of the input (Ctrl-D). With this list all standard streams
   * are a terminal, and without it none is.
   */
  readonly answers?: readonly (string | undefined)[];
  /** Called before each answer, such as for a change that another user makes while this user types. */
  readonly beforeAnswer?: () => void;
}

interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The questions that the command has asked. One that does not show the answer begins with `hidden: `. */
  readonly questions: readonly string[];
}

/** Runs a command to its end. It gets only PATH, HOME and the variables of `env`. @throws Error if an answer is missing */
export async function runCommand(
  args: readonly string[],
  { env = {}, cwd = folder(), input = "", answers, beforeAnswer }: CommandOptions = {},
): Promise<CommandResult> {
  const output = { stdout: "", stderr: "" };
  const questions: string[] = [];
  const remainingAnswers = [...(answers ?? [])];
  const answer = (question: string): string | undefined => {
    questions.push(question);
    if (remainingAnswers.length === 0) throw new Error(`no answer is prepared for the question ${question}`);
    beforeAnswer?.();
    return remainingAnswers.shift();
  };
  const write = (descriptor: 1 | 2, text: string | Uint8Array): undefined => {
    output[descriptor === 1 ? "stdout" : "stderr"] += Buffer.from(text).toString();
  };
  const bytes = Buffer.from(input);
  const initialContext: Context = {
    cwd,
    project: cwd,
    environment: new Map(Object.entries({ PATH: process.env["PATH"] ?? "", HOME: cwd, ...env })),
    out: (text) => write(1, text),
    err: (text) => write(2, text),
    raw: write,
    readLine: (question) => Promise.resolve().then(() => answer(question)),
    readHidden: (question) => Promise.resolve().then(() => answer(`hidden: ${question}`)),
    readInput: () => Promise.resolve(bytes),
    async *readChunks() {
      yield await Promise.resolve(bytes);
    },
    isTerminal: () => answers !== undefined,
  };
  const invocation = parseCommandLine(args);
  if (invocation.kind === "run") throw new Error("runCommand starts no programs");
  let status: number;
  try {
    status = await dispatch(invocation, applyProjectOption(invocation, initialContext));
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    await printError(initialContext, error);
    ({ status } = error);
  }
  if (remainingAnswers.length > 0) throw new Error(`the command has asked only ${questions.length} questions`);
  return { status, ...output, questions };
}
