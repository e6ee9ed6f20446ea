/** Decides if a project uses Pulumi ESC: only then do the files that are written for it name ESC. */
import { readFound } from "../../system/bounded-read.ts";
import { attempt } from "../../system/errors.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { MAX_BYTES } from "../../contract/file/contract-text.ts";
import { isEscMentioned, WITHHELD_VARIABLES } from "../../esc/settings/own-variables.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";

/** Returns true if a file of the repository has a setting of ESC. */
export function namesEsc(text: string): boolean {
  return /\bESC_(?:ENV|TOKEN)\b/.test(text);
}

/** Returns true if the contract is the Sophia platform's, names an ESC environment, or declares a setting of ESC. */
export function contractUsesEsc({ source, environment, variables }: Contract): boolean {
  if (source.kind === "built-in" || environment !== undefined || WITHHELD_VARIABLES.some((name) => variables.has(name)))
    return true;
  // Another profile may name one.
  return fileUsesEsc(source.path);
}

/** Returns true if the text of a contract names an ESC environment, or extends the built-in contract. */
export function fileUsesEsc(path: string): boolean {
  // Whoever needs the contract reports that it cannot be read.
  const text = attempt(() => readFound(path, { maxBytes: MAX_BYTES }).toString("utf8")) ?? "";
  return /"environment"\s{0,20}:|"extends"\s{0,20}:\s{0,20}"builtin"/.test(text);
}

/** Returns true if the user's environment or a `.env` file has a setting of ESC. A file that cannot be read has none. */
export async function machineUsesEsc(settings: Settings, context: Context): Promise<boolean> {
  const { environment } = context;
  if (isEscMentioned(environment, [])) return true;
  try {
    const { layers } = await readEnvFiles(settings, findPlaces(settings, context), environment);
    return isEscMentioned(environment, layers);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return false;
  }
}
