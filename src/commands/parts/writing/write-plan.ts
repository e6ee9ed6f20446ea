/**
 * Plans a change to Pulumi ESC: compares each value with the one that ESC has, and decides whether it is written. A command makes
 * the plan before it asks the user, and again before each attempt to write, since another user may have changed the environment.
 * write-plan-text.ts describes a plan to the user.
 */
import type { Variable } from "../../../core/model.ts";
import type { EnvironmentState } from "../../../esc/api/change.ts";
import { findVariable } from "../../../esc/definition/definition-variables.ts";
import type { ValueToWrite } from "./value-to-write.ts";

/** The plan for a variable. It is written if the state is `added` or `replaced`. Any other state is a reason to keep ESC's value. */
export type PlannedState =
  | "added"
  | "replaced"
  /** ESC has the same value. */
  | "same"
  /** ESC has another value, which `--overwrite` replaces. */
  | "differs"
  /** ESC shows its value only after an approval; `--overwrite` replaces the value unseen. */
  | "needs-approval"
  /** ESC shows no value while a schema refuses values of the environment; `--overwrite` replaces the value unseen. */
  | "schema-refused"
  /** ESC provides a file of this name, which has precedence over a variable. */
  | "file"
  /** A provider, a rotation or another function of ESC computes the value. */
  | "function";

export interface PlannedValue extends ValueToWrite {
  readonly state: PlannedState;
  /** True if the value is a secret, but ESC has the same value in plain text. */
  readonly isPlainTextInEsc?: boolean;
}

/** Decides whether values that ESC has are replaced: for all variables, or by the name of a variable. */
export type Overwrite = boolean | ((name: string) => boolean);

/**
 * Creates the function that plans one value for a state of ESC. All values of a change share it, so that the variables of ESC are
 * indexed only once.
 */
export function createPlanner(
  current: EnvironmentState,
  overwrite: Overwrite,
): (valueToWrite: ValueToWrite) => PlannedValue {
  const mayOverwrite = typeof overwrite === "boolean" ? (): boolean => overwrite : overwrite;
  const variablesInEsc = new Map(current.opened.variables.map((variable) => [variable.name, variable]));
  return (valueToWrite) => {
    const { name, value } = valueToWrite;
    const variableInEsc = variablesInEsc.get(name);
    if (variableInEsc?.delivery === "value" && variableInEsc.value === value) {
      const isPlainTextInEsc = valueToWrite.secret && valueToWrite.isAssumedSecret !== true && !variableInEsc.secret;
      return { ...valueToWrite, state: "same", isPlainTextInEsc };
    }
    // A secret of ESC stays a secret, even if it comes from an import or a reference. A value that ESC does not show may be a secret.
    const secret = valueToWrite.secret || variableInEsc?.secret === true || current.hidden?.has(name) === true;
    return { ...valueToWrite, secret, state: planNewValue(variableInEsc, name, current, mayOverwrite(name)) };
  };
}

/** Returns the plan for a variable whose new value is not known yet. The new value is assumed to differ from the one in ESC. */
export function planWithoutValue(name: string, current: EnvironmentState, mayOverwrite: boolean): PlannedState {
  const variableInEsc = current.opened.variables.find((variable) => variable.name === name);
  return planNewValue(variableInEsc, name, current, mayOverwrite);
}

/**
 * Returns the plan for a value that differs from the one in ESC.
 *
 * @param variableInEsc the variable in the opened environment; undefined if ESC has none, or does not show it
 */
function planNewValue(
  variableInEsc: Variable | undefined,
  name: string,
  { definition, hidden, hiddenBy }: EnvironmentState,
  mayOverwrite: boolean,
): PlannedState {
  const entry = findVariable(definition, name);
  const isHidden = hidden?.has(name) === true;
  if (variableInEsc === undefined && entry === undefined && !isHidden) return "added";
  if (variableInEsc?.delivery === "file") return "file";
  if (entry?.kind === "rotated" || entry?.kind === "function") return "function";
  // An empty value means unset, so replacing it loses nothing. Messages about a missing value propose `set` without `--overwrite`.
  const isEmpty = variableInEsc?.value === "" && (entry?.kind === "value" || entry?.kind === "secret");
  if (mayOverwrite || isEmpty) return "replaced";
  if (!isHidden) return "differs";
  return hiddenBy === "schema" ? "schema-refused" : "needs-approval";
}

/** Returns true if the variable is written. */
export function isChange({ state }: Pick<PlannedValue, "state">): boolean {
  return state === "added" || state === "replaced";
}
