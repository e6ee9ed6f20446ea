/** The types for a reading of ESC that failed: the reason, and the part that is known of values which ESC refuses to return. */
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

/** The reason why ESC was not read. If a schema refuses the values of an environment, ESC opens it for no program: see `rejected`. */
export type EscFailure = AskFailure & { readonly rejected?: RejectedValues };

/** The part that is known of the values of the requested environments if ESC refuses to open at least one of them. */
export interface RejectedValues {
  /** The findings of the schemas. */
  readonly findings: readonly Diagnostic[];
  /** In the order of `ESC_ENV`, by their full names. */
  readonly environments: readonly EscEnvironment[];
  /** The highest precedence first. A value that ESC has, and that the token does not see, is {@link UNSEEN}. */
  readonly layers: readonly Layer[];
  /** False if ESC did not list the variables. The layers then have only the variables that the findings name. */
  readonly isComplete: boolean;
}
