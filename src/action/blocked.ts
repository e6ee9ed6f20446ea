/** Which variables an action does not put into the environment of a job; pure but for what it loads. */
import { isOfRunner } from "../core/actions-runner.ts";
import { runsCode } from "../core/code-values.ts";
import { reasonTooLargeAlone } from "../launch/program/argument-size.ts";

/** Why a variable must not stand in GITHUB_ENV, in words that follow its name. */
export function blockedInJob(name: string, value: string): string | undefined {
  // Names of variables do not differ by case on Windows.
  const upper = name.toUpperCase();
  if (upper === "NODE_OPTIONS") return "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV";
  if (isOfRunner(name)) return "GitHub Actions sets it itself";
  if (upper.startsWith("INPUT_")) return "other actions would take it for an input";
  if (upper === "PATH") return "it would decide which programs later steps run";
  return runsCode(name, value) ? "it would make the programs of all later steps run code" : undefined;
}

/** Later steps could not start a single program with a variable that the system does not take. */
export function sizeFault(variable: { readonly name: string; readonly value: string }): string | undefined {
  const most = reasonTooLargeAlone(variable);
  return most === undefined ? undefined : `no program of a later step can start with more than ${most} in a variable`;
}
