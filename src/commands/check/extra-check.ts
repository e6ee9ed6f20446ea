/** The result of a check that an option adds: `--overdue`, `--live`, `--broker`, `--refresh` or `--aws-refresh`. */
export interface ExtraCheck {
  /** The section of the report: its title, and its lines. */
  readonly section: readonly string[];
  /** The reasons for which the whole check fails. The lines after the first belong to the first. */
  readonly failures: readonly string[];
  /** The values that the check could not test, a line each. */
  readonly warnings?: readonly string[];
  /** The fields that the check adds to the JSON report. */
  readonly fields: Readonly<Record<string, unknown>>;
}
