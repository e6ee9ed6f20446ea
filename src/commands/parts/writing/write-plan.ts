/**
 * The plan of a change: what happens to each value, given what ESC has. A command makes the plan before it asks the user, and
 * again before each attempt to write, since another user may have changed the environment. All functions are pure;
 * write-plan-text.ts shows a plan to the user.
 */
import type { Variable } from "../../../core/model.ts";
import type { EnvironmentState } from "../../../esc/api/change.ts";
import { findVariable } from "../../../esc/definition/definition-variables.ts";
import type { ValueToWrite } from "./value-to-write.ts";

/** The state of a variable in a change. The variable is written if it is `added` or `replaced`; each other state is a reason to keep it. */
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
  /** A provider, a rotation or another function of ESC makes the value. */
  | "function";

export interface PlannedValue extends ValueToWrite {
  readonly state: PlannedState;
  /** The value is a secret, but ESC has the same value in plain text. */
  readonly isPlainTextInEsc?: boolean;
}

/** True if values that ESC has are replaced: for all variables, or for each name. */
export type Overwrite = boolean | ((name: string) => boolean);

/**
 * Returns the function that plans one value. It is made once for a state of ESC, because the parsed definition and the map of
 * variables are shared by all values.
 */
export function createPlanner(
  current: EnvironmentState,
  overwrite: Overwrite,
): (planned: ValueToWrite) => PlannedValue {
  const mayOverwrite = typeof overwrite === "boolean" ? (): boolean => overwrite : overwrite;
  const variables = new Map(current.opened.variables.map((variable) => [variable.name, variable]));
  return (wanted) => {
    const { name, value } = wanted;
    const existing = variables.get(name);
    if (existing?.delivery === "value" && existing.value === value) {
      const isPlainTextInEsc = wanted.secret && wanted.isAssumedSecret !== true && !existing.secret;
      return { ...wanted, state: "same", isPlainTextInEsc };
    }
    // A variable that is a secret in ESC stays one, even if it comes from an import or a reference. A value that ESC does not show may be one.
    const secret = wanted.secret || existing?.secret === true || current.hidden?.has(name) === true;
    return { ...wanted, secret, state: findState(existing, name, current, mayOverwrite(name)) };
  };
}

/** Returns what would happen to a variable before its new value is known. The new value is assumed to differ from ESC's. */
export function stateWithoutValue(name: string, current: EnvironmentState, overwrite: boolean): PlannedState {
  const existing = current.opened.variables.find((variable) => variable.name === name);
  return findState(existing, name, current, overwrite);
}

function findState(
  existing: Variable | undefined,
  name: string,
  { definition, hidden, hiddenBy }: EnvironmentState,
  overwrite: boolean,
): PlannedState {
  const defined = findVariable(definition, name);
  const isHidden = hidden?.has(name) === true;
  if (existing === undefined && defined === undefined && !isHidden) return "added";
  if (existing?.delivery === "file") return "file";
  if (defined?.kind === "rotated" || defined?.kind === "function") return "function";
  // An empty value means unset, so replacing it loses nothing. Messages about a missing value propose `set` without `--overwrite`.
  const isEmpty = existing?.value === "" && (defined?.kind === "value" || defined?.kind === "secret");
  if (overwrite || isEmpty) return "replaced";
  if (!isHidden) return "differs";
  return hiddenBy === "schema" ? "schema-refused" : "needs-approval";
}

export function isChange({ state }: Pick<PlannedValue, "state">): boolean {
  return state === "added" || state === "replaced";
}
