/** Describes for the user which limit of the system made a call fail: the limit on open files, processes or memory. */

/** The description of a limit that was reached. */
export interface SystemLimit {
  /** The limit, such as `too many open files (EMFILE)`. */
  readonly message: string;
  /** How to raise the limit. */
  readonly hint: string;
}

const MEMORY_HINT = "raise the limit on memory, or end other programs";
const PROCESSES_HINT = "raise the limit on processes: ulimit -u 4096; in a container, its limit on PIDs";

/** The limits by the code of the error. EAGAIN means a limit only if a thread or a process could not be created. */
const LIMITS_BY_CODE: ReadonlyMap<string | undefined, readonly [reason: string, hint: string]> = new Map([
  ["EMFILE", ["too many open files", "raise the limit on open files: ulimit -n 1024"]],
  ["ENFILE", ["too many open files in the system", "raise the sysctl fs.file-max"]],
  ["EAGAIN", ["too many processes and threads", PROCESSES_HINT]],
  ["ENOMEM", ["out of memory", MEMORY_HINT]],
]);

/** Returns the limit that prevented creating a process, thread or pipe; undefined for other errors. */
export function findSystemLimit(code: string | undefined): SystemLimit | undefined {
  const [reason, hint] = LIMITS_BY_CODE.get(code) ?? [];
  return reason === undefined || hint === undefined ? undefined : { message: `${reason} (${code})`, hint };
}

/**
 * Returns the limit on memory if QuickJS has thrown its error for too little memory. QuickJS is the JavaScript engine of the
 * executable for Linux; Node.js ends the process instead.
 */
export function findMemoryLimit(error: unknown): SystemLimit | undefined {
  const isOutOfMemory = error instanceof Error && error.name === "InternalError" && error.message === "out of memory";
  return isOutOfMemory ? { message: "not enough memory", hint: MEMORY_HINT } : undefined;
}

/** Returns the limit on open files, which any call that opens a file may reach; undefined for other errors. */
export function findOpenFilesLimit(code: string | undefined): SystemLimit | undefined {
  return code === "EMFILE" || code === "ENFILE" ? findSystemLimit(code) : undefined;
}
