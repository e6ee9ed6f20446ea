/** Creates patches and runs tasks of patches.mjs, for the tests of the patches of QuickJS. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { folder } from "../../../test/helpers/sophia.ts";

const script = join(import.meta.dirname, "patches.mjs");

/** The result of a task of patches.mjs. */
export interface TaskResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns a patch of the file `engine.c`, with a title and a reason. */
export function createPatch(before: string, after: string, title = "First change"): string {
  const cwd = folder({ "a/engine.c": before, "b/engine.c": after });
  const diffArguments = ["diff", "--no-index", "--no-prefix", "--full-index", "a/engine.c", "b/engine.c"];
  const { stdout } = spawnSync("git", diffArguments, { cwd, encoding: "utf8" });
  return `${title}\n\nIt is needed.\n\n${stdout}`;
}

/** Runs a task of patches.mjs. @param env variables that are added to those of this process */
export function runTask(words: readonly string[], env: NodeJS.ProcessEnv = {}): TaskResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}
