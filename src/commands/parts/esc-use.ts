/**
 * Decides whether a project uses Pulumi ESC. Only then does `init` write settings of ESC into the project's workflows and
 * documents. These functions search texts rather than parse them, so that they also work for files that are invalid or incomplete.
 */
import { readFoundFile } from "../../system/bounded-read.ts";
import { attempt } from "../../system/errors.ts";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { MAX_CONTRACT_BYTES } from "../../contract/file/contract-text.ts";
import { isEscMentioned, WITHHELD_VARIABLES } from "../../esc/settings/own-variables.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";

/** A variable with a setting of ESC, or an input of the GitHub action in place of such a variable: `oidc-organization: acme`. */
const ESC_SETTING_PATTERN = new RegExp(`\\b(?:${WITHHELD_VARIABLES.join("|")})\\b|\\boidc-organization\\s{0,20}:`);

/** Returns true if the text of a file contains a setting of ESC. */
export function mentionsEscSetting(text: string): boolean {
  return ESC_SETTING_PATTERN.test(text);
}

/** Returns true if the contract is the built-in one, names an ESC environment, or declares a variable with settings of ESC. */
export function contractUsesEsc({ source, environment, variables }: Contract): boolean {
  const declaresSetting = WITHHELD_VARIABLES.some((name) => variables.has(name));
  if (source.kind === "built-in" || environment !== undefined || declaresSetting) return true;
  // `environment` belongs to the chosen profile. Another profile of the file may name one, too.
  return contractFileUsesEsc(source.path);
}

/** Returns an empty text if the contract cannot be read, because the command that needs the contract reports the failure. */
function readContractText(path: string): string {
  return attempt(() => readFoundFile(path, { maxBytes: MAX_CONTRACT_BYTES }).toString("utf8")) ?? "";
}

/**
 * Returns the ESC environments that a contract names outside of its profiles: `{"environment": "acme/sophia/dev"}`. The result is
 * empty if one of the names is malformed.
 */
export function findContractEnvironments(path: string): readonly string[] {
  const contract: unknown = attempt(() => JSON.parse(readContractText(path)) as unknown);
  const hasEnvironment = typeof contract === "object" && contract !== null && "environment" in contract;
  const environment = hasEnvironment ? contract.environment : undefined;
  const names: readonly unknown[] = Array.isArray(environment) ? environment : [environment];
  const isName = (name: unknown): name is string =>
    typeof name === "string" && /^[\w.-]+(?:\/[\w.-]+){1,2}(?:@[\w.-]+)?$/.test(name);
  return names.every(isName) ? names : [];
}

/** Returns true if a contract, or one of its profiles, names an ESC environment, or if it extends the built-in contract. */
export function contractFileUsesEsc(path: string): boolean {
  const text = readContractText(path);
  return /"environment"\s{0,20}:|"extends"\s{0,20}:\s{0,20}"builtin"/.test(text);
}

/** Returns true if the process environment or a `.env` file has settings of ESC. Unreadable files are ignored. */
export async function settingsUseEsc(settings: Settings, context: Context): Promise<boolean> {
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
