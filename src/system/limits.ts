/** Limits of the system that a call can reach, in words: on open files, processes and memory. */

/** A limit that was reached, and how to raise it. */
export interface SystemLimit {
  readonly message: string;
  readonly hint: string;
}

const MEMORY_HINT = "raise the limit on memory, or end other programs";
const PROCESSES_HINT = "raise the limit on processes: ulimit -u 4096; in a container, its limit on PIDs";

/** The words by the code of the error. EAGAIN means a limit only if a thread or a process could not be made. */
const LIMITS: ReadonlyMap<string | undefined, readonly [reason: string, hint: string]> = new Map([
  ["EMFILE", ["too many open files", "raise the limit on open files: ulimit -n 1024"]],
  ["ENFILE", ["too many open files in the system", "raise the sysctl fs.file-max"]],
  ["EAGAIN", ["too many processes and threads", PROCESSES_HINT]],
  ["ENOMEM", ["out of memory", MEMORY_HINT]],
]);

/** Returns the limit that prevented a new process, thread or pipe; undefined for other errors. */
export function limitOf(code: string | undefined): SystemLimit | undefined {
  const [reason, hint] = LIMITS.get(code) ?? [];
  return reason === undefined || hint === undefined ? undefined : { message: `${reason} (${code})`, hint };
}

/** Returns the limit on memory for the error that QuickJS throws, which is the engine of the executable for Linux. */
export function memoryLimitOf(error: unknown): SystemLimit | undefined {
  const isOutOfMemory = error instanceof Error && error.name === "InternalError" && error.message === "out of memory";
  return isOutOfMemory ? { message: "not enough memory", hint: MEMORY_HINT } : undefined;
}

/** Returns the limit on open files for the error of any call. Loading a module opens a file, too. */
export function openFilesLimitOf(code: string | undefined): SystemLimit | undefined {
  return code === "EMFILE" || code === "ENFILE" ? limitOf(code) : undefined;
}
