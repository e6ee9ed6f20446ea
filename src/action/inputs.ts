/** The inputs of the action, by `with:`. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Values } from "../command-line/options.ts";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";

const EXPORTS = ["env", "outputs", "check"] as const;

export type Export = (typeof EXPORTS)[number];

export interface Inputs {
  readonly export: Export;
  readonly options: Values;
  /** The step's environment with what the inputs set in it, and without the inputs. */
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

/** Inputs that are options of the command line, of the same names. */
const OPTIONS = ["contract", "profile", "scope", "prefer", "require-esc", "timeout", "session", "fake"];
/** Lists: with commas, or a line each. */
const LISTS = ["dotenv", "include", "exclude"];

export const INPUT_NAMES: readonly string[] = [
  ...Object.keys(VARIABLES),
  ...OPTIONS,
  ...LISTS,
  "export",
  "working-directory",
];

/**
 * The runner passes inputs as `INPUT_` and the name in upper case, and those that a workflow leaves out as empty.
 * @throws SophiaError (settings, 125)
 */
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
  const asked = input("export") ?? "env";
  const chosen = EXPORTS.find((one) => one === asked);
  if (chosen === undefined) {
    throw invalid(`export has an invalid value: '${printable(asked)}'`, `allowed: ${EXPORTS.join(", ")}`);
  }
  const folder = input("working-directory") ?? ".";
  const path = resolve(cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const hint = "it is relative to the workspace, into which actions/checkout puts the repository in an earlier step";
    throw invalid(`working-directory names no folder: '${printable(folder)}'`, hint);
  }
  return {
    export: chosen,
    options: {
      "only-declared": true,
      // By which "Enable debug logging" shows.
      verbose: step.get("RUNNER_DEBUG") === "1",
      ...Object.fromEntries(OPTIONS.map((name) => [name, input(name)])),
      ...Object.fromEntries(LISTS.map((name) => [name, input(name)?.replaceAll(/\r?\n/g, ",")])),
    },
    environment,
    cwd: path,
  };
}

function invalid(what: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message: `the input ${what}`, hint });
}
