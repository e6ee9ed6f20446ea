import { readFileSync } from "node:fs";
import type { Environment } from "../model.ts";

/**
 * This process's environment, whole. Before version 26 Node lists variables whose names are array indices (`0`, `10`)
 * without their values; the kernel still has the environment that the process was started with.
 */
export function ownEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const environment = new Map<string, string>();
  const withoutValue: string[] = [];
  for (const name of Object.keys(variables)) {
    const value = variables[name];
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
