/**
 * Reads the inputs of the GitHub Action. A workflow sets them by `with:`, and the runner passes them as variables:
 *
 *     with: { dotenv: .env.ci, export: outputs }     INPUT_DOTENV=.env.ci  INPUT_EXPORT=outputs
 *
 * Most inputs have the name of an option. Others stand for a variable, such as `token` for ESC_TOKEN.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Values } from "../command-line/options.ts";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { withWorkflowRemedy } from "../esc/settings/pulumi-token.ts";

const EXPORTS = ["env", "outputs", "check"] as const;

/** The target of exported variables: the environment of later steps, or the outputs of the step. `check`: nothing is exported. */
export type Export = (typeof EXPORTS)[number];

export interface Inputs {
  readonly export: Export;
  /** The options of sophia-run for which inputs stand. */
  readonly options: Values;
  /** The environment of the step without the variables of inputs, and with the variables for which inputs stand. */
  readonly environment: Environment;
  readonly cwd: string;
}

/** The variable for which an input stands, by input. */
const VARIABLE_INPUTS: Readonly<Record<string, string>> = {
  environment: "ESC_ENV",
  token: "ESC_TOKEN",
  "oidc-organization": "ESC_OIDC_ORG",
  "oidc-type": "ESC_OIDC_TYPE",
  "oidc-scope": "ESC_OIDC_SCOPE",
  "oidc-expiration": "ESC_OIDC_EXPIRATION",
  "backend-url": "PULUMI_BACKEND_URL",
};

/** Inputs with the name of an option. */
const OPTION_INPUTS = ["contract", "profile", "scope", "prefer", "require-esc", "timeout", "session", "fake"];
/** Inputs with the name of an option that has a list of values: separated by commas, or one on each line. */
const LIST_INPUTS = ["dotenv", "include", "exclude"];

/** All inputs. A test compares them with action.yml. */
export const INPUT_NAMES: readonly string[] = [
  ...Object.keys(VARIABLE_INPUTS),
  ...OPTION_INPUTS,
  ...LIST_INPUTS,
  "export",
  "working-directory",
];

/** Matches options that have an input of the same name, except in a command to paste (`sophia-run check --scope web`). */
const OPTION_IN_TEXT = new RegExp(`(?<!sophia-run .*)--(${[...OPTION_INPUTS, ...LIST_INPUTS].join("|")})\\b`, "g");

/** Replaces, in a text, the names of options by those of inputs, and a line for a shell by the `env` of a step. */
export function byInput(text: string): string {
  return withWorkflowRemedy(text).replaceAll(OPTION_IN_TEXT, "the input $1");
}

/** Reads the inputs. The runner passes an input that is not set as an empty variable. @throws SophiaError (settings, 125) */
export function readInputs(step: Environment, cwd: string): Inputs {
  const input = (name: string): string | undefined => {
    const text = step.get(`INPUT_${name.toUpperCase()}`)?.trim() ?? "";
    return text === "" ? undefined : text;
  };
  const environment = new Map(Array.from(step).filter(([name]) => !name.startsWith("INPUT_")));
  for (const [name, variable] of Object.entries(VARIABLE_INPUTS)) {
    const text = input(name);
    if (text !== undefined) environment.set(variable, text);
  }
  const exportText = input("export") ?? "env";
  const exportTo = EXPORTS.find((each) => each === exportText);
  if (exportTo === undefined) {
    throw invalid(`export has an invalid value: '${printable(exportText)}'`, `allowed: ${EXPORTS.join(", ")}`);
  }
  const folder = input("working-directory") ?? ".";
  const path = resolve(cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const hint = "name a folder of the workspace; an earlier step must check out the repository with actions/checkout";
    throw invalid(`working-directory is not a folder: '${printable(folder)}'`, hint);
  }
  return {
    export: exportTo,
    options: {
      "only-declared": true,
      // The runner sets it if the user reruns a job with "Enable debug logging".
      verbose: step.get("RUNNER_DEBUG") === "1",
      ...Object.fromEntries(OPTION_INPUTS.map((name) => [name, input(name)])),
      ...Object.fromEntries(LIST_INPUTS.map((name) => [name, input(name)?.replaceAll(/\r?\n/g, ",")])),
    },
    environment,
    cwd: path,
  };
}

function invalid(problem: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message: `the input ${problem}`, hint });
}
