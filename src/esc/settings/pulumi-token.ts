/**
 * The remedy that a message shows if no credential opens Pulumi ESC, but the caller has set `PULUMI_ACCESS_TOKEN`, the token
 * of Pulumi's own command-line programs. CI systems often set that variable. sophia-run does not use the token by itself,
 * because a contract may declare the variable for the program.
 */
import type { Environment } from "../../core/model.ts";
import { isToken } from "./secret.ts";
import { VariableLookup } from "./variables.ts";

const TOKEN_VARIABLE = "PULUMI_ACCESS_TOKEN";
/** The setting with a command that prints the token for ESC. */
const COMMAND_SETTING = "ESC_TOKEN_COMMAND";
const IS_WINDOWS = process.platform === "win32";
/** The value of the setting. sophia-run has `sh` run it, but `cmd.exe` on Windows, where no `printenv` exists. */
const PRINT_TOKEN = IS_WINDOWS ? `echo %${TOKEN_VARIABLE}%` : `printenv ${TOKEN_VARIABLE}`;

/** A line that explains the remedy, and a line to paste into a shell (PowerShell on Windows). */
const SHELL_REMEDY: readonly [string, string] = [
  `${TOKEN_VARIABLE} is set; to open ESC with it:`,
  IS_WINDOWS ? `  $env:${COMMAND_SETTING} = '${PRINT_TOKEN}'` : `  export ${COMMAND_SETTING}='${PRINT_TOKEN}'`,
];
/** The same remedy for a workflow of GitHub Actions in which a step uses sophia-run's own action. */
const WORKFLOW_REMEDY: readonly [string, string] = [
  `${TOKEN_VARIABLE} is set; to open ESC with it, write under env of the step:`,
  `  ${COMMAND_SETTING}: ${PRINT_TOKEN}`,
];

/** Settings that a token cannot replace: the name of the ESC environment, and the organization that an ID token is for. */
const SETTINGS_BESIDE_TOKEN: ReadonlySet<string> = new Set(["ESC_ENV", "ESC_OIDC_ORG"]);

/**
 * Returns the lines of the remedy, of which the second is a command to paste. Returns no lines if `PULUMI_ACCESS_TOKEN` is not
 * set or comes from a file, or if the setting that is missing is not the token.
 *
 * @param missing the name of the missing setting, as `findAccessSettings` reports it
 */
export function pulumiTokenRemedy(missing: string, environment: Environment): readonly string[] {
  if (SETTINGS_BESIDE_TOKEN.has(missing)) return [];
  // No `.env` files are passed: the command of the remedy runs in the caller's environment, where their variables are not set.
  const variables = new VariableLookup(environment, []);
  const token = variables.findInProcess(TOKEN_VARIABLE)?.value.trim() ?? "";
  if (!isToken(token)) return [];
  // The command puts the token into a command line of `cmd.exe`, which would interpret characters such as & and |.
  if (IS_WINDOWS && !/^[\w.-]+$/.test(token)) return [];
  return SHELL_REMEDY;
}

/** Replaces the remedy for a shell in a message, whose lines must not have been wrapped or indented, by that for a workflow. */
export function withWorkflowRemedy(message: string): string {
  // A replacement string would give `$` in the remedy a meaning. A function's result is inserted as it is.
  return message.replaceAll(SHELL_REMEDY.join("\n"), () => WORKFLOW_REMEDY.join("\n"));
}
