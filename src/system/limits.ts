/** A limit of the system that was reached, and how to raise it. */
export interface Limit {
  readonly message: string;
  readonly hint: string;
}

const OPEN_FILES = "raise the limit on open files: ulimit -n 1024";

/** By the code of the error. EAGAIN has this meaning only for a thread or a process that cannot be made. */
const LIMITS: ReadonlyMap<string, Limit> = new Map([
  ["EMFILE", { message: "too many open files (EMFILE)", hint: OPEN_FILES }],
  ["ENFILE", { message: "too many open files in the system (ENFILE)", hint: "raise the sysctl fs.file-max" }],
  [
    "EAGAIN",
    {
      message: "too many processes and threads (EAGAIN)",
      hint: "raise the limit on processes: ulimit -u 4096; in a container, its limit on PIDs",
    },
  ],
  ["ENOMEM", { message: "out of memory (ENOMEM)", hint: "raise the limit on memory, or end other programs" }],
]);

/** @returns undefined for a code that stands for no limit */
export function limitOf(code: string): Limit | undefined {
  return LIMITS.get(code);
}

/** The limit on open files, for an error of any call: loading a part of sophia-run opens one, too. */
export function openFilesLimitOf(code: string | undefined): Limit | undefined {
  return code === "EMFILE" || code === "ENFILE" ? LIMITS.get(code) : undefined;
}
