import { readFileSync } from "node:fs";
import type { Environment } from "../core/model.ts";

/** With more variables than this, reading them all at once is the faster way. */
const MANY = 300;

/**
 * This process's environment, whole. Node lists variables whose names are not UTF-8, and before version 26 those whose
 * names are array indices (`0`, `10`), but does not find their values; the kernel still has the environment that the
 * process was started with. It serves, too, where there are many variables: Node asks getenv(3) for each, which looks
 * through all of them, a tenth of a second for 5,000. Node changes none of them, it only takes some away.
 */
export function ownEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  const withoutValue: string[] = [];
  // Not Object.keys, which asks getenv(3) whether each is enumerable.
  const names = Object.getOwnPropertyNames(variables);
  const initialValue = names.length > MANY ? initialValues() : undefined;
  // Not a loop: V8 would optimize that, of which this process would not live to see the benefit.
  names.forEach((name) => {
    const value = initialValue?.(name) ?? variables[name];
    if (value === undefined) withoutValue.push(name);
    else environment.set(name, value);
  });
  if (withoutValue.length === 0) return environment;
  const initial = initialEnvironment();
  for (const name of withoutValue) {
    const value = initial.get(name);
    if (value !== undefined) environment.set(name, value);
  }
  return environment;
}

/**
 * Finds the initial values of names that are asked for in Node's order. That is the environment's own, so that one walk
 * through it finds them all and nothing is made of it but the values; only array indices come before all others.
 */
function initialValues(): (name: string) => string | undefined {
  const text = `\0${readInitial()}\0`;
  let position = 0;
  return (name) => {
    const start = text.indexOf(`\0${name}=`, position);
    if (start === -1) return undefined;
    const end = text.indexOf("\0", start + 1);
    if (name >= ":") position = end; // does not begin with a digit
    return text.slice(start + name.length + 2, end);
  };
}

/** The environment with which this process was started, by Linux; empty elsewhere. */
export function initialEnvironment(): Environment {
  const entries = readInitial()
    .split("\0")
    .map((entry): [string, string] => {
      const equals = entry.indexOf("=");
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    });
  // Of two variables of one name getenv(3) finds the first.
  return new Map(entries.toReversed());
}

/** `NAME=value` of each, ended by a NUL. */
function readInitial(): string {
  try {
    return readFileSync("/proc/self/environ", "utf8");
  } catch {
    return "";
  }
}
