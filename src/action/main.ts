/**
 * The entry point of the GitHub Action, whose bundle `action.yml` names. GitHub's runner starts it for each step that uses the
 * action. It runs `runAction`, reports a failure as an annotation of the step, and exits with 1 if the step fails.
 */
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { guardOutputsForRunner } from "../output/surroundings.ts";
import { describeBug, completeFailure } from "../output/stderr.ts";
import { createWorkflowCommand } from "../output/workflow-commands.ts";
import { readProcessEnvironment } from "../system/process-environment.ts";
import { write } from "../system/blocking.ts";
import { runAction } from "./action.ts";
import { annotateFailure } from "./annotations.ts";

const cwd = process.cwd();
/** The context of the action. A step has no terminal and no input, so nothing can be asked. */
const context: Context = guardOutputsForRunner({
  environment: readProcessEnvironment(process.env, undefined),
  cwd,
  project: cwd,
  out: (data) => write(1, data),
  err: (text) => void write(2, text),
  raw: write,
  readLine: async () => undefined,
  readHidden: async () => undefined,
  readInput: async () => new Uint8Array(),
  async *readChunks() {},
  isTerminal: () => false,
});

/** Reports why the step fails: a failure as an annotation, a bug with its stack as well. @returns the exit status */
async function reportFailure(error: unknown): Promise<number> {
  if (error instanceof SophiaError) context.raw(1, annotateFailure(await completeFailure(error)));
  else {
    const [message, ...frames] = describeBug(error);
    context.raw(1, createWorkflowCommand("error", message, { title: "sophia-run" }));
    context.out(frames.map((frame) => `    ${frame}\n`).join(""));
  }
  return 1;
}

async function failAndExit(error: unknown): Promise<never> {
  process.exit(await reportFailure(error));
}

process.on("uncaughtException", (error) => void failAndExit(error));
void runAction(context)
  .then((succeeds) => (succeeds ? 0 : 1), reportFailure)
  .then((status) => process.exit(status));
