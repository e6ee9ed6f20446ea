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

/** The variables, and the inputs of the action that stand for them. */
const SETTING = new RegExp(`\\b(?:${WITHHELD_VARIABLES.join("|")})\\b|\\boidc-organization\\s{0,20}:`);

/** Returns true if a file of the repository has a setting of ESC. */
export function namesEsc(text: string): boolean {
  return SETTING.test(text);
}

/** Returns true if the contract is the Sophia platform's, names an ESC environment, or declares a setting of ESC. */
export function contractUsesEsc({ source, environment, variables }: Contract): boolean {
  if (source.kind === "built-in" || environment !== undefined || WITHHELD_VARIABLES.some((name) => variables.has(name)))
    return true;
  // Another profile may name one.
  return fileUsesEsc(source.path);
}

/** Returns the text of a contract; whoever needs the contract reports that it cannot be read. */
function contractText(path: string): string {
  return attempt(() => readFound(path, { maxBytes: MAX_BYTES }).toString("utf8")) ?? "";
}

/** Returns the ESC environments that the text of a contract names by itself, in no profile; none if one is malformed. */
export function environmentsIn(path: string): readonly string[] {
  const found: unknown = attempt(() => JSON.parse(contractText(path)) as unknown);
  const named = typeof found === "object" && found !== null && "environment" in found ? found.environment : undefined;
  const names = Array.isArray(named) ? named : [named];
  const isName = (name: unknown): name is string =>
    typeof name === "string" && /^[\w.-]+(?:\/[\w.-]+){1,2}(?:@[\w.-]+)?$/.test(name);
  return names.every(isName) ? names : [];
}

/** Returns true if the text of a contract names an ESC environment, or extends the built-in contract. */
export function fileUsesEsc(path: string): boolean {
  const text = contractText(path);
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
