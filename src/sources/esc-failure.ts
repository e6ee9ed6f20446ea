/** Why there are no values of ESC, and what is known of those that it does not give out. */
import type { Diagnostic, Layer } from "../core/model.ts";
import type { AskFailure } from "../esc/api/ask.ts";

export interface EscEnvironment {
  /** `org/project/name`. */
  readonly name: string;
  /** The requested revision or tag. */
  readonly version?: string;
  /** The revision that was opened, if the service reports it. */
  readonly revision?: string;
  /** The age of an earlier reading from the cache. */
  readonly ageSeconds?: number;
}

/** `rejected`: a schema in an environment refuses its values, so that ESC opens it for no program. */
export type EscFailure = AskFailure & { readonly rejected?: RejectedValues };

/** The part that is known of the values of environments of which ESC does not open at least one. */
export interface RejectedValues {
  /** The findings of the schemas. */
  readonly findings: readonly Diagnostic[];
  /** In the order of `ESC_ENV`, by their full names. */
  readonly environments: readonly EscEnvironment[];
  /** The highest precedence first. A value that ESC has, and that the token does not see, is {@link UNSEEN}. */
  readonly layers: readonly Layer[];
  /** False if ESC has not told which variables there are: the layers have those of the findings alone. */
  readonly isComplete: boolean;
}
