/** The types for a failed reading of ESC: why it failed, and what is known of values that ESC refuses to return. */
import type { Diagnostic, Layer } from "../core/model.ts";
import type { AskFailure } from "../esc/api/ask.ts";

/** An ESC environment that was requested, for reports and JSON. */
export interface EscEnvironment {
  /** `org/project/name`. */
  readonly name: string;
  /** The requested revision or tag. */
  readonly version?: string;
  /** The revision that was opened, if the service reports it. */
  readonly revision?: string;
  /** The age of the values; absent unless they come from the cache. */
  readonly ageSeconds?: number;
}

/** The reason why ESC was not read. `rejected` is present if a schema in an environment refuses a value, so that ESC does not open it. */
export type EscFailure = AskFailure & { readonly rejected?: RejectedValues };

/** The part that is known of the values of the requested environments if ESC refuses to open at least one of them. */
export interface RejectedValues {
  /** The findings of the schemas. */
  readonly findings: readonly Diagnostic[];
  /** In the order of `ESC_ENV`, by their full names. */
  readonly environments: readonly EscEnvironment[];
  /** The layer of the highest precedence is first. A value that the token may not see is {@link UNSEEN}. */
  readonly layers: readonly Layer[];
  /** False if the environments may have further variables: ESC did not list them, or knows them only once it opens the environment. */
  readonly isComplete: boolean;
}
