/** Names that no file, and no ESC environment, sets for the program. */
import { OPTION_NAMES, variableOf } from "../command-line/options.ts";
import type { Variable } from "../core/model.ts";
import { FROM_FILES, isCallersWord } from "../esc/settings/from-files.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";

/** Settings of sophia-run, which a file never sets for a nested sophia-run. */
const SETTINGS: ReadonlySet<string> = new Set([
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
  "SOPHIA_ALLOW_ENVIRONMENT",
  FROM_FILES,
  // It would have a nested sophia-run pass on the real keys.
  "SOPHIA_BROKERED",
  "SOPHIA_BROKER_SOCKET",
  ...OPTION_NAMES.map(variableOf),
]);

/** Returns true for a variable of a file that a nested sophia-run would take for the caller's setting. */
export function isReserved(
  { name, origin }: Pick<Variable, "name" | "origin">,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  return !isCallersWord(origin) && isReservedName(name, isAllowed, isDeclared);
}

export function isReservedName(
  name: string,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (SETTINGS.has(name)) return true;
  // The Pulumi CLI reads it, too. If the caller allows it, it is passed on with the mark of a file.
  if (name === "PULUMI_BACKEND_URL") return !isAllowed(name);
  // A later version may read it; but programs also have such variables.
  return (name.startsWith("ESC_") || name.startsWith("SOPHIA_")) && !isAllowed(name) && !isDeclared(name);
}
