/** Finds the codes of system errors, such as `ENOENT`, in what Node.js throws. */

/** The code of a command that is in no folder of the search path. All other codes are the system's. */
export const NOT_ON_PATH = "NOT_ON_PATH";

/** Returns the code of a system error, such as `ENOENT`; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  // For some errors of execve(2) the code is empty in Node.js 26, and "Unknown system error -8" (ENOEXEC) in earlier versions.
  const isNameless = error.code === "" || error.code.startsWith("Unknown system error");
  return isNameless && "errno" in error ? errorName(Math.abs(Number(error.errno))) : error.code;
}

/** Returns the code of a system error. @throws any other error */
export function codeOrThrow(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}

/** Returns the name of an errno, such as `ENOENT` for 2. Node.js loads the table on demand. */
export function errorName(number: unknown): string {
  const { errno } = process.getBuiltinModule("node:os").constants;
  return Object.entries(errno).find(([, value]) => value === number)?.[0] ?? `error ${String(number)}`;
}

/** Returns the result of an action; undefined if it throws. */
export function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
