/** The environment of this process, as the caller has set it. */
import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { attempt } from "./errors.ts";
import { isBun } from "./runtime.ts";

/**
 * Returns this process's environment without invalid entries. Of two variables with one name the first one wins, as in getenv(3).
 *
 * @param variables `process.env` @param strings the environment as the addon reads it: names and values in turn, each
 *   followed by NUL; undefined without the addon, and if preloaded code may have changed `process.env`. Reading
 *   `process.env` calls getenv(3) for each variable, which takes 35 ms for 5,000 variables.
 */
export function readOwnEnvironment(variables: NodeJS.ProcessEnv, strings: string | undefined): Environment {
  return strings === undefined ? copyEnvironment(variables) : parseEnvironment(strings);
}

function parseEnvironment(strings: string): Environment {
  const environment = new Map<string, string>();
  const parts = strings.split("\0");
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const name = parts[index] ?? "";
    if (!environment.has(name)) environment.set(name, parts[index + 1] ?? "");
  }
  return environment;
}

/**
 * Reads `process.env`. Node.js does not find the values of names that are not UTF-8, nor, before version 26, of array indices
 * (`0`). The kernel has them. If several names that are not UTF-8 become the same text, Bun returns the value of the last one.
 */
function copyEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  let initial: Environment | undefined;
  // Object.keys would call getenv(3) for each name.
  for (const name of Object.getOwnPropertyNames(variables)) {
    // Some systems list a variable without a name.
    if (name === "") continue;
    const isAmbiguous = isBun && name.includes("\uFFFD");
    const known = isAmbiguous ? undefined : variables[name];
    const value = known ?? (initial ??= initialEnvironment()).get(name) ?? variables[name];
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/** Returns the environment at the start of this process (Linux); an empty one elsewhere. */
export function initialEnvironment(): Environment {
  const environment = new Map<string, string>();
  // The entries are read from the last to the first, so that the first of two variables with one name wins.
  for (const entry of Array.from(initialEntries().keys()).toReversed()) {
    const equals = entry.indexOf("=");
    if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}

/**
 * Returns the bytes of each entry of the environment at the start of this process (Linux), by the text that Node.js makes of
 * it.
 */
export function initialEntries(): ReadonlyMap<string, Buffer> {
  return new Map(readStrings("/proc/self/environ").map((string) => [string.toString("utf8"), string]));
}

/** Reads the NUL-terminated strings of a file of /proc; none without /proc. */
export function readStrings(file: string): readonly Buffer[] {
  const strings =
    attempt(() => readFileSync(file, "latin1"))
      ?.replace(/\0$/, "")
      .split("\0") ?? [];
  return strings.map((string) => Buffer.from(string, "latin1"));
}
