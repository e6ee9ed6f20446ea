/** The error that every command throws to end with a message for the user, and the exit statuses of sophia-run. */
import type { FailureCode } from "./failure-codes.ts";
import type { Failure } from "./model.ts";

/**
 * The statuses of sophia-run itself. 125 to 127 are used as by env(1) and POSIX shells, and 78 is EX_CONFIG of sysexits.h.
 */
export const ExitStatus = {
  ok: 0,
  /**
   * A command has a negative result: `check` finds an unmet contract, `scan` finds a secret, or the user declined a change.
   */
  unmet: 1,
  /** `scan` found nothing, but could not search everything. */
  incomplete: 2,
  /** A change to ESC, or a request to open an environment, waits for an approval. */
  draft: 3,
  /** The contract is not met; nothing was started. */
  config: 78,
  /** sophia-run itself has failed, such as for a wrong option or an unreachable server. */
  failed: 125,
  /** The program exists, but cannot be executed. */
  notExecutable: 126,
  /** The program does not exist. */
  notFound: 127,
} as const;

/**
 * A failure with a message for the user. It holds no secret, and no `cause`, since errors of libraries may contain a token.
 */
export class SophiaError extends Error implements Failure {
  override readonly name = "SophiaError";
  readonly code: FailureCode;
  readonly status: number;
  readonly hint?: string;
  readonly details: readonly string[];

  constructor(failure: Failure, status: number = ExitStatus.failed) {
    super(failure.message);
    this.code = failure.code;
    this.status = status;
    if (failure.hint !== undefined) this.hint = failure.hint;
    this.details = failure.details ?? [];
  }
}
