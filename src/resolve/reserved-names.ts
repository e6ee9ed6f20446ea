/**
 * Decides which variables the program gets only from the process environment, never from files, ESC or the contract. The program may
 * start another sophia-run (a nested one), which would take a variable of such a name for a setting of the caller.
 */
import { OPTION_NAMES, REFUSED_VARIABLE, variableOf } from "../command-line/options.ts";
import type { Variable } from "../core/model.ts";
import { FROM_FILES, isTrustedOrigin } from "../esc/settings/from-files.ts";
import { ESC_VARIABLES } from "../esc/settings/own-variables.ts";

/** Sophia-run's own variables: the settings for ESC, the marks of an outer sophia-run, and the options. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...ESC_VARIABLES,
  FROM_FILES,
  // A nested sophia-run would take the real keys that these name for dummies, and pass them on.
  "SOPHIA_BROKERED",
  "SOPHIA_BROKER_SOCKET",
  // A nested sophia-run would take the credentials that this names for those of an outer one.
  "SOPHIA_REFRESHED",
  REFUSED_VARIABLE,
  ...OPTION_NAMES.map(variableOf),
]);

/** Returns true for one of sophia-run's own variables, such as an option or a setting for ESC. */
export function isOwnVariable(name: string): boolean {
  return OWN_VARIABLES.has(name);
}

/**
 * Returns true for a variable with a reserved name that another source than the process environment sets. ESC that the caller's
 * credential opens, and files of `NAME_FILE`, may set any name except sophia-run's own.
 *
 * @param isAllowed returns true for a variable that the caller lets files set (`--allow`)
 */
export function isReserved(
  { name, origin }: Pick<Variable, "name" | "origin">,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (!isTrustedOrigin(origin)) return isReservedName(name, isAllowed, isDeclared);
  return (origin.source !== "environment" || origin.read !== undefined) && OWN_VARIABLES.has(name);
}

/** Returns true for a name that neither files may set, nor an ESC environment that the credential of a file opens. */
export function isReservedName(
  name: string,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (OWN_VARIABLES.has(name)) return true;
  // The Pulumi CLI also reads this variable. If the caller allows it, the program gets it with the mark of a file.
  if (name === "PULUMI_BACKEND_URL") return !isAllowed(name);
  // A later version of sophia-run may read such a name. Programs have such variables, too, so that a declared one passes.
  return (name.startsWith("ESC_") || name.startsWith("SOPHIA_")) && !isAllowed(name) && !isDeclared(name);
}
