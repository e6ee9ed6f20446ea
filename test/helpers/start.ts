import type { Values } from "../../src/command-line/options.ts";
import { resolveSettings } from "../../src/command-line/settings.ts";
import type { Environment } from "../../src/core/model.ts";
import { resolveStart } from "../../src/resolve/stages.ts";
import type { Start } from "../../src/resolve/start.ts";
import { startedIn } from "./folders.ts";

const progress = async () => ({ waiting: () => {}, retrying: () => {}, done: () => {}, printLine: () => {} });

/** Runs the stages of a start in a folder. Nothing is printed and nothing is asked. */
export async function startIn(cwd: string, environment: Environment, flags: Values = {}): Promise<Start> {
  return resolveStart(resolveSettings(flags, environment), { environment, ...startedIn(cwd) }, { progress });
}
