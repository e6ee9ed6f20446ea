/** The error of what was aborted, by Node.js's own functions. */
export class AbortError extends Error {
  readonly code = "ABORT_ERR";

  constructor(cause?: unknown) {
    super("The operation was aborted", cause === undefined ? undefined : { cause });
    this.name = "AbortError";
  }
}
