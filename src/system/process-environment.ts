/**
 * Reads the environment variables of this process. Reading `process.env` is slow, and for some unusual names Node.js finds no
 * value there. So the variables are read by the addon, which is C code in native/. Without it, `process.env` is read, and the
 * missing values are taken from /proc.
 */
import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { attempt } from "./errors.ts";
import { isBun } from "./runtime.ts";

/**
 * Returns this process's environment without invalid entries. If a name occurs twice, the first entry wins, as in getenv(3).
 *
 * @param variables `process.env`. Reading it calls getenv(3) for each variable, which takes 35 ms for 5,000 variables
 * @param addonStrings the environment as the addon returns it: alternately a name and a value, each followed by NUL. It is undefined
 *   if there is no addon, or if preloaded code may have changed `process.env`
 */
export function readProcessEnvironment(variables: NodeJS.ProcessEnv, addonStrings: string | undefined): Environment {
  return addonStrings === undefined ? copyEnvironment(variables) : parseEnvironment(addonStrings);
}

/** Parses the strings of the addon: `HOME\0/root\0PATH\0/bin\0`. */
function parseEnvironment(addonStrings: string): Environment {
  const environment = new Map<string, string>();
  const parts = addonStrings.split("\0");
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const name = parts[index] ?? "";
    if (!environment.has(name)) environment.set(name, parts[index + 1] ?? "");
  }
  return environment;
}

/**
 * Copies `process.env`. It lists some names for which Node.js then finds no value: names that are not UTF-8 and, before version
 * 26, names that are array indices (`0`). Those values are taken from /proc. If several names that are not UTF-8 are decoded to
 * the same text, Bun returns the value of the last one.
 */
function copyEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  // /proc is read only if `process.env` lacks a value, which is rare.
  let initialEnvironment: Environment | undefined;
  // Object.keys would call getenv(3) for each name.
  for (const name of Object.getOwnPropertyNames(variables)) {
    // Some systems list a variable without a name.
    if (name === "") continue;
    // U+FFFD stands for bytes that are not UTF-8.
    const isAmbiguous = isBun && name.includes("\uFFFD");
    const unambiguousValue = isAmbiguous ? undefined : variables[name];
    // On a system without /proc, Bun's ambiguous value is better than none.
    const value = unambiguousValue ?? (initialEnvironment ??= readInitialEnvironment()).get(name) ?? variables[name];
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/** Returns the environment that this process had when it started, from /proc. On systems other than Linux it is empty. */
export function readInitialEnvironment(): Environment {
  const environment = new Map<string, string>();
  // The entries are read from the last to the first, so that the first of two variables with one name wins.
  for (const entry of Array.from(readInitialEntries().keys()).toReversed()) {
    const equals = entry.indexOf("=");
    // An entry without a name or without `=` is not a variable.
    if (equals > 0) environment.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return environment;
}

/**
 * Returns the entries (`NAME=value`) of the environment that this process had when it started. The values of the map are the
 * bytes of the entries, and its keys are the same entries, decoded as UTF-8. On systems other than Linux the map is empty.
 */
export function readInitialEntries(): ReadonlyMap<string, Buffer> {
  return new Map(readStrings("/proc/self/environ").map((string) => [string.toString("utf8"), string]));
}

/** Reads the NUL-terminated strings of a file of /proc. Returns none if the file cannot be read, as on systems without /proc. */
export function readStrings(file: string): readonly Buffer[] {
  // Latin-1 keeps each byte as one character, even if the bytes are not UTF-8.
  const text = attempt(() => readFileSync(file, "latin1"));
  if (text === undefined) return [];
  const strings = text.replace(/\0$/, "").split("\0");
  return strings.map((string) => Buffer.from(string, "latin1"));
}
