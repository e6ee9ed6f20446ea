/** Variables that `.env` files set, by name alone. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { type Found, isCandidate } from "./found.ts";

/** Reads the files that a start would read. Their values are secrets as a rule: none gets into the contract. */
export async function fromDotenv(settings: Settings, context: Context): Promise<readonly Found[]> {
  const { layers } = await readEnvFiles(settings, context.cwd, context.environment);
  const names = new Set(layers.flatMap(({ variables }) => variables.map(({ name }) => name)));
  return [...names].filter(isCandidate).map((name) => ({ name, required: false, isGiven: true }));
}
