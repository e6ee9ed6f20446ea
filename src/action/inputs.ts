/** The inputs of the action, which `with:` sets. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Values } from "../command-line/options.ts";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { withRemedyOfStep } from "../esc/settings/pulumi-token.ts";

const EXPORTS = ["env", "outputs", "check"] as const;

export type Export = (typeof EXPORTS)[number];

export interface Inputs {
  readonly export: Export;
  readonly options: Values;
  /** The step's environment without the inputs, and with the variables that they set. */
  readonly environment: Environment;
  readonly cwd: string;
}

const VARIABLES: Readonly<Record<string, string>> = {
  environment: "ESC_ENV",
  token: "ESC_TOKEN",
  "oidc-organization": "ESC_OIDC_ORG",
  "oidc-type": "ESC_OIDC_TYPE",
  "oidc-scope": "ESC_OIDC_SCOPE",
  "oidc-expiration": "ESC_OIDC_EXPIRATION",
  "backend-url": "PULUMI_BACKEND_URL",
};

const OPTIONS = ["contract", "profile", "scope", "prefer", "require-esc", "timeout", "session", "fake"];
const LISTS = ["dotenv", "include", "exclude"];

/** All inputs, which a test compares with action.yml. */
export const INPUT_NAMES: readonly string[] = [
  ...Object.keys(VARIABLES),
  ...OPTIONS,
  ...LISTS,
  "export",
  "working-directory",
];

/** Options at which a text names an input, but for those of a command to paste. */
const NAMED = new RegExp(`(?<!sophia-run .*)--(${[...OPTIONS, ...LISTS].join("|")})\\b`, "g");

/** Returns a text that names the inputs in place of the options, and the `env` of a step in place of a shell's. */
export function byInput(text: string): string {
  return withRemedyOfStep(text).replaceAll(NAMED, "the input $1");
}

/** Reads the inputs, which the runner passes as `INPUT_…`; empty if not set. @throws SophiaError (settings, 125) */
export function readInputs(step: Environment, cwd: string): Inputs {
  const input = (name: string): string | undefined => {
    const text = step.get(`INPUT_${name.toUpperCase()}`)?.trim() ?? "";
    return text === "" ? undefined : text;
  };
  const environment = new Map(Array.from(step).filter(([name]) => !name.startsWith("INPUT_")));
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const text = input(name);
    if (text !== undefined) environment.set(variable, text);
  }
  const value = input("export") ?? "env";
  const chosen = EXPORTS.find((one) => one === value);
  if (chosen === undefined) {
    throw invalid(`export has an invalid value: '${printable(value)}'`, `allowed: ${EXPORTS.join(", ")}`);
  }
  const folder = input("working-directory") ?? ".";
  const path = resolve(cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const hint = "name a folder of the workspace; an earlier step must check out the repository with actions/checkout";
    throw invalid(`working-directory is not a folder: '${printable(folder)}'`, hint);
  }
  return {
    export: chosen,
    options: {
      "only-declared": true,
      // Set by "Enable debug logging".
      verbose: step.get("RUNNER_DEBUG") === "1",
      ...Object.fromEntries(OPTIONS.map((name) => [name, input(name)])),
      ...Object.fromEntries(LISTS.map((name) => [name, input(name)?.replaceAll(/\r?\n/g, ",")])),
    },
    environment,
    cwd: path,
  };
}

function invalid(problem: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message: `the input ${problem}`, hint });
}
