import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { callersName } from "./before-bun.ts";
import { isBun } from "./runtime.ts";

/**
 * Returns this process's environment, without entries that are no variables; of two of one name getenv(3) finds the first.
 *
 * @param strings names and values in turns, each but the last ended by a NUL, as the addon gives them: Node.js asks
 *   getenv(3) for each variable, which looks through all of them (35 ms for 5,000). Absent if there is no addon, or if
 *   other code ran in this process before: what it made of `process.env` counts
 */
export function ownEnvironment(variables: NodeJS.ProcessEnv, strings: string | undefined): Environment {
  return strings === undefined ? environmentOf(variables) : environmentIn(strings);
}

function environmentIn(strings: string): Environment {
  const environment = new Map<string, string>();
  const parts = strings.split("\0");
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const name = parts[at] ?? "";
    if (!environment.has(name)) environment.set(name, parts[at + 1] ?? "");
  }
  return environment;
}

/**
 * Node.js lists variables whose names are not UTF-8, and before version 26 those whose names are array indices (`0`,
 * `10`), but does not find their values; the kernel still has the first environment. Of several names that are not UTF-8
 * and become the same, Bun takes the last.
 */
function environmentOf(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  let initial: Environment | undefined;
  // Not Object.keys, which asks getenv(3) whether each is enumerable.
  for (const name of Object.getOwnPropertyNames(variables)) {
    // getenv(3) of some systems lists a variable without a name.
    const given = name === "" ? undefined : isBun ? callersName(name) : name;
    if (given === undefined) continue;
    const isAmbiguous = isBun && name.includes("\uFFFD");
    const value =
      (isAmbiguous ? undefined : variables[name]) ?? (initial ??= initialEnvironment()).get(given) ?? variables[name];
    if (value !== undefined) environment.set(given, value);
  }
  return environment;
}

/** Returns the environment with which this process was started (Linux); empty elsewhere. */
export function initialEnvironment(): Environment {
  const environment = new Map<string, string>();
  try {
    // The first of two variables of one name counts, and an entry without a name or without a value is no variable.
    for (const entry of readFileSync("/proc/self/environ", "utf8").split("\0").toReversed()) {
      const equals = entry.indexOf("=");
      if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
  } catch {
    // Another system, or no /proc.
  }
  return environment;
}
