import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";

/** With more variables than this, reading them all at once is the faster way. */
const MANY = 300;

/**
 * This process's environment, whole. Node.js lists variables whose names are not UTF-8, and before version 26 those whose
 * names are array indices (`0`, `10`), but does not find their values; the kernel still has the environment that the
 * process was started with. That one is read, too, where there are many variables: Node asks getenv(3) for each, which
 * looks through all of them (35 ms for 5,000). Node itself changes none of them, it only removes some.
 *
 * @param preloaded other code ran in this process before: it may have changed variables, and what it made of them counts
 */
export function ownEnvironment(variables: NodeJS.ProcessEnv, preloaded: boolean): Environment {
  const environment = new Map<string, string>();
  // Not Object.keys, which asks getenv(3) whether each is enumerable.
  const names = Object.getOwnPropertyNames(variables);
  const unchanged = names.length > MANY && !preloaded ? initialEnvironment() : undefined;
  let initial = unchanged;
  for (const name of names) {
    // Nothing finds a variable without a name; getenv(3) of some systems lists it.
    if (name === "") continue;
    const value = unchanged?.get(name) ?? variables[name] ?? (initial ??= initialEnvironment()).get(name);
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/** The environment with which this process was started, by Linux; empty elsewhere. */
export function initialEnvironment(): Environment {
  let entries: readonly string[];
  try {
    entries = readFileSync("/proc/self/environ", "utf8").split("\0");
  } catch {
    return new Map();
  }
  const environment = new Map<string, string>();
  // Of two variables of one name getenv(3) finds the first.
  for (const entry of entries.toReversed()) {
    const equals = entry.indexOf("=");
    // Neither what has no name nor what has no value is a variable.
    if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}
