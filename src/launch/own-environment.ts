import { readFileSync } from "node:fs";
import type { Environment } from "../model.ts";

/** With more variables than this, reading them all at once is the faster way. */
const MANY = 300;

/**
 * This process's environment, whole. Node lists variables whose names are not UTF-8, and before version 26 those whose
 * names are array indices (`0`, `10`), but does not find their values; the kernel still has the environment that the
 * process was started with. It serves, too, where
 * there are many variables: Node asks getenv(3) for each, which looks through all of them, a tenth of a second for
 * 5,000. Node changes none of them, it only takes some away.
 */
export function ownEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  const withoutValue: string[] = [];
  // Not Object.keys, which asks getenv(3) whether each is enumerable.
  const names = Object.getOwnPropertyNames(variables);
  const listed = names.length > MANY ? initialEnvironment() : undefined;
  for (const name of names) {
    const value = listed?.get(name) ?? variables[name];
    if (value === undefined) withoutValue.push(name);
    else environment.set(name, value);
  }
  if (withoutValue.length === 0) return environment;
  const initial = initialEnvironment();
  for (const name of withoutValue) {
    const value = initial.get(name);
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/** The environment with which this process was started, by Linux; empty elsewhere. */
export function initialEnvironment(): Environment {
  let text: string;
  try {
    text = readFileSync("/proc/self/environ", "utf8");
  } catch {
    return new Map();
  }
  const entries = text.split("\0").map((entry): [string, string] => {
    const equals = entry.indexOf("=");
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  // Of two variables of one name getenv(3) finds the first.
  return new Map(entries.toReversed());
}
