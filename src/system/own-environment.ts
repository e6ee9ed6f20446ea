/**
 * Reads the environment variables that the caller has set for this process. `process.env` alone does not suffice: reading it
 * is slow, and it lacks some values whose names are unusual. The addon (C code in native/) or the kernel has those.
 */
import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { attempt } from "./errors.ts";
import { isBun } from "./runtime.ts";

/**
 * Returns this process's environment without invalid entries. Of two variables with one name the first one wins, as in getenv(3).
 *
 * @param variables `process.env`. Reading it calls getenv(3) for each variable, which takes 35 ms for 5,000 variables
 * @param strings the environment as the addon reads it: alternately a name and a value, each followed by NUL. It is undefined
 *   if there is no addon, or if preloaded code may have changed `process.env`
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
  // Is read only if `process.env` lacks a value, which is rare.
  let initial: Environment | undefined;
  // Object.keys would call getenv(3) for each name.
  for (const name of Object.getOwnPropertyNames(variables)) {
    // Some systems list a variable without a name.
    if (name === "") continue;
    const isAmbiguous = isBun && name.includes("\uFFFD");
    const known = isAmbiguous ? undefined : variables[name];
    // Without /proc, Bun's ambiguous value is better than none.
    const value = known ?? (initial ??= initialEnvironment()).get(name) ?? variables[name];
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/** Returns the environment that this process had when it started. Only Linux has it, in /proc; elsewhere the result is empty. */
export function initialEnvironment(): Environment {
  const environment = new Map<string, string>();
  // The entries are read from the last to the first, so that the first of two variables with one name wins.
  for (const entry of Array.from(initialEntries().keys()).toReversed()) {
    const equals = entry.indexOf("=");
    // An entry without a name or without `=` is not a variable.
    if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}

/**
 * Returns the entries (`NAME=value`) of the environment that this process had when it started, as bytes. The keys are the same
 * entries, decoded as UTF-8. The map is empty on systems other than Linux.
 */
export function initialEntries(): ReadonlyMap<string, Buffer> {
  return new Map(readStrings("/proc/self/environ").map((string) => [string.toString("utf8"), string]));
}

/** Reads the NUL-terminated strings of a file of /proc. Returns none if the file cannot be read, as on systems without /proc. */
export function readStrings(file: string): readonly Buffer[] {
  // Latin-1 keeps each byte as one character, also bytes that are not UTF-8.
  const text = attempt(() => readFileSync(file, "latin1"));
  if (text === undefined) return [];
  const strings = text.replace(/\0$/, "").split("\0");
  return strings.map((string) => Buffer.from(string, "latin1"));
}
