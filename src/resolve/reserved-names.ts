/** Names that the program gets from the process environment alone: not from files, ESC or the contract. */
import { OPTION_NAMES, REFUSED_VARIABLE, variableOf } from "../command-line/options.ts";
import type { Variable } from "../core/model.ts";
import { FROM_FILES, isCallersWord } from "../esc/settings/from-files.ts";
import { ESC_VARIABLES } from "../esc/settings/own-variables.ts";

/** Sophia-run's own variables, by which a program would configure a sophia-run that it starts. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...ESC_VARIABLES,
  FROM_FILES,
  // It would have a nested sophia-run pass on the real keys.
  "SOPHIA_BROKERED",
  "SOPHIA_BROKER_SOCKET",
  // It would have a nested sophia-run take credentials for those of an outer one.
  "SOPHIA_REFRESHED",
  REFUSED_VARIABLE,
  ...OPTION_NAMES.map(variableOf),
]);

/** Returns true for a variable of sophia-run's own: an option, or a setting for ESC. */
export function isOwnVariable(name: string): boolean {
  return OWN_VARIABLES.has(name);
}

/**
 * Returns true for a variable that a nested sophia-run would take for the caller's setting, although another source sets it.
 * ESC that the caller's credential opens, and files of `NAME_FILE`, set all names but sophia-run's own.
 */
export function isReserved(
  { name, origin }: Pick<Variable, "name" | "origin">,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (!isCallersWord(origin)) return isReservedName(name, isAllowed, isDeclared);
  return (origin.source !== "environment" || origin.read !== undefined) && OWN_VARIABLES.has(name);
}

export function isReservedName(
  name: string,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (OWN_VARIABLES.has(name)) return true;
  // The Pulumi CLI reads it, too. If the caller allows it, it is passed on with the mark of a file.
  if (name === "PULUMI_BACKEND_URL") return !isAllowed(name);
  // A later version may read it; but programs also have such variables.
  return (name.startsWith("ESC_") || name.startsWith("SOPHIA_")) && !isAllowed(name) && !isDeclared(name);
}
