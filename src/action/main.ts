/** The boundary of the GitHub Action: the runner starts this file by itself, as `action.yml` names it. */
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { workflowCommand } from "../output/workflow-command.ts";
import { ownEnvironment } from "../system/own-environment.ts";
import { write } from "../system/write.ts";
import { act } from "./action.ts";
import { annotateFailure } from "./annotations.ts";

const context: Context = {
  environment: ownEnvironment(process.env, undefined),
  cwd: process.cwd(),
  out: (text) => write(1, text),
  err: (text) => void write(2, text),
  // Nobody is there to be asked.
  readLine: async () => undefined,
  readHidden: async () => undefined,
  readInput: async () => new Uint8Array(),
  isTerminal: () => false,
};

function fail(error: unknown): number {
  if (error instanceof SophiaError) context.out(annotateFailure(error));
  else {
    // The message of a foreign error may hold a value.
    const kind = error instanceof Error ? error.constructor.name : typeof error;
    context.out(workflowCommand("error", `internal error (${kind}); please report it`, { title: "sophia-run" }));
    const places = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
    context.out(places.map((line) => `${line}\n`).join(""));
  }
  return 1;
}

process.on("uncaughtException", (error) => process.exit(fail(error)));
void act(context)
  .then((succeeds) => (succeeds ? 0 : 1), fail)
  .then((status) => process.exit(status));
