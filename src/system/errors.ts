/** The code of a system error, such as `ENOENT`; undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  // Node.js 26 leaves the code of some errors of execve empty, such as E2BIG; earlier versions write "Unknown system error
  // -8" for ENOEXEC.
  const isNameless = error.code === "" || error.code.startsWith("Unknown system error");
  return isNameless && "errno" in error ? errorName(Math.abs(Number(error.errno))) : error.code;
}

/** The system's name of an error number, such as `ENOENT`. */
export function errorName(number: unknown): string {
  const { errno } = process.getBuiltinModule("node:os").constants;
  return Object.entries(errno).find(([, value]) => value === number)?.[0] ?? `error ${String(number)}`;
}
