/** The result of a check that an option adds: `--overdue`, `--live`, `--broker`, `--refresh` or `--aws-refresh`. */
export interface ExtraCheck {
  /** The section of the report: its title, and its lines. */
  readonly section: readonly string[];
  /** The reason for which `check` fails, and further lines such as commands that help; empty if the check has passed. */
  readonly failures: readonly string[];
  /** One line for each kind of value that the check could not test. */
  readonly warnings?: readonly string[];
  /** The fields that the check adds to the JSON report. */
  readonly fields: Readonly<Record<string, unknown>>;
}
