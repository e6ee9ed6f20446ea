/**
 * Finds out which error of the system a function of Node.js has thrown. Code that expects an error compares its code:
 *
 *     try {
 *       unlinkSync(path);
 *     } catch (error) {
 *       if (systemErrorCode(error) !== "ENOENT") throw error;
 *     }
 */

/** The code for a command that is in no folder of PATH. The system has no such code: execve(2) does not search PATH. */
export const NOT_ON_PATH = "NOT_ON_PATH";

/** Returns the code of a system error, such as `ENOENT`; undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  // For errors that libuv does not know, such as ENOEXEC of execve(2), the code is empty in Node.js 26, and "Unknown system
  // error -8" in earlier versions.
  const isNameless = error.code === "" || error.code.startsWith("Unknown system error");
  return isNameless && "errno" in error ? errorName(Math.abs(Number(error.errno))) : error.code;
}

/** Returns the code of a system error. @throws any other error */
export function codeOrThrow(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}

/** Returns the name of an error number, such as `ENOENT` for 2. */
export function errorName(errno: unknown): string {
  // `node:os` is not imported above, because most starts do not need its table.
  const { errno: errorNumbers } = process.getBuiltinModule("node:os").constants;
  return Object.entries(errorNumbers).find(([, value]) => value === errno)?.[0] ?? `error ${String(errno)}`;
}

/** Returns the result of an action; undefined if it throws. */
export function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
