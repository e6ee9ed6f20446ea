/**
 * Finds out whether a person starts sophia-run. Without a person, the personal files, logins and answers of users are not
 * used.
 */
import type { Environment } from "../core/model.ts";

/** Returns true in a CI system, which sets `CI` to `true` or to its name. A user may set `false` or `0`. */
export function isInCi(environment: Environment): boolean {
  return !["", "0", "false"].includes(environment.get("CI") ?? "");
}

/** Returns the reason to assume that no person starts this process; undefined if a person may. */
export function findUnattendedReason(environment: Environment): string | undefined {
  if (isInCi(environment)) return "CI is set";
  return process.pid === 1 ? "this is the first process of a container" : undefined;
}
