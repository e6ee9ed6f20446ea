/** Runs the stages of a start in the process of the test, without a program. */
import type { Values } from "../../src/command-line/options.ts";
import { resolveSettings } from "../../src/command-line/settings.ts";
import type { Environment } from "../../src/core/model.ts";
import { resolveStart } from "../../src/resolve/stages.ts";
import type { Start } from "../../src/resolve/start.ts";
import { foldersOf } from "./folders.ts";

const progress = async () => ({ waiting: () => {}, retrying: () => {}, done: () => {}, printLine: () => {} });

/** Runs all stages of a start in a folder. Nothing is printed, and the user is not asked. */
export async function runStages(cwd: string, environment: Environment, flags: Values = {}): Promise<Start> {
  return resolveStart(resolveSettings(flags, environment), { environment, ...foldersOf(cwd) }, { progress });
}
