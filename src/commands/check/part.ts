/** What `check` does beyond the contract when it is asked to. */
export interface Part {
  /** A title and its lines, for people. */
  readonly section: readonly string[];
  /** Why the check fails by it, a line each; none where it does not. */
  readonly failures: readonly string[];
  /** What the check could not find out, a line each. */
  readonly doubts?: readonly string[];
  /** For programs, by the name of the field. */
  readonly fields: Readonly<Record<string, unknown>>;
}
