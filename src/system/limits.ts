/** A limit of the system that was reached, and how to raise it. */
export interface Limit {
  readonly message: string;
  readonly hint: string;
}

const MEMORY = "raise the limit on memory, or end other programs";
const PROCESSES = "raise the limit on processes: ulimit -u 4096; in a container, its limit on PIDs";

/** EAGAIN has this meaning only if a thread or process cannot be made. */
const LIMITS: ReadonlyMap<string | undefined, readonly [reason: string, hint: string]> = new Map([
  ["EMFILE", ["too many open files", "raise the limit on open files: ulimit -n 1024"]],
  ["ENFILE", ["too many open files in the system", "raise the sysctl fs.file-max"]],
  ["EAGAIN", ["too many processes and threads", PROCESSES]],
  ["ENOMEM", ["out of memory", MEMORY]],
]);

/** Returns the limit that an error of a new process, thread or pipe shows; undefined for other errors. */
export function limitOf(code: string | undefined): Limit | undefined {
  const [reason, hint] = LIMITS.get(code) ?? [];
  return reason === undefined || hint === undefined ? undefined : { message: `${reason} (${code})`, hint };
}

/** Returns the limit on memory for the error that QuickJS throws, the engine of the executable for Linux. */
export function memoryLimitOf(error: unknown): Limit | undefined {
  const isOutOfMemory = error instanceof Error && error.name === "InternalError" && error.message === "out of memory";
  return isOutOfMemory ? { message: "not enough memory", hint: MEMORY } : undefined;
}

/** Returns the limit on open files for the error of any call: loading a module opens a file, too. */
export function openFilesLimitOf(code: string | undefined): Limit | undefined {
  return code === "EMFILE" || code === "ENFILE" ? limitOf(code) : undefined;
}
