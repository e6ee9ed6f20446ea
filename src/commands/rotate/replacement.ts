import type { VariableChange } from "../../esc/definition/definition-variables.ts";

/** The new value of a variable for `sophia-run rotate`, and the change of the definition that sets it. */
export interface Replacement {
  readonly change: VariableChange;
  /** The new value in plain text. */
  readonly value: string;
  /** Describes the change for the user, without the value. */
  readonly description: string;
}
