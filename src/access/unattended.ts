/** Tells what people start from what starts without them: their own files, logins and answers do not count there. */
import type { Environment } from "../core/model.ts";

/** CI systems set `CI` to `true` or a name; a user who sets `false` means none. */
export function isInCi(environment: Environment): boolean {
  return !["", "0", "false"].includes(environment.get("CI") ?? "");
}

/** Returns why this start is not of a person; undefined if it may be. */
export function unattended(environment: Environment): string | undefined {
  if (isInCi(environment)) return "CI is set";
  return process.pid === 1 ? "this is the first process of a container" : undefined;
}
