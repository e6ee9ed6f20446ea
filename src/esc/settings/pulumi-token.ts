/**
 * Makes the hint for someone whose `PULUMI_ACCESS_TOKEN` would open ESC (Pulumi's store of configuration and secrets). CI often has this
 * variable for Pulumi's own programs. It is never used unless the user says so, because the token may have wider rights than a start
 * needs.
 */
import type { Environment } from "../../core/model.ts";
import { isToken } from "./secret.ts";
import { VariableLookup } from "./variables.ts";

const TOKEN_VARIABLE = "PULUMI_ACCESS_TOKEN";
const COMMAND_VARIABLE = "ESC_TOKEN_COMMAND";
const IS_WINDOWS = process.platform === "win32";
/** The command that prints the token. `sh` runs it; on Windows `cmd.exe` does, and has no `printenv`. */
const COMMAND = IS_WINDOWS ? `echo %${TOKEN_VARIABLE}%` : `printenv ${TOKEN_VARIABLE}`;
const HINT_BEGINNING = `${TOKEN_VARIABLE} is set; to open ESC with it`;

/** The hint with a command to paste into a shell, or into PowerShell on Windows. */
const SHELL_HINT: readonly [string, string] = [
  `${HINT_BEGINNING}:`,
  IS_WINDOWS ? `  $env:${COMMAND_VARIABLE} = '${COMMAND}'` : `  export ${COMMAND_VARIABLE}='${COMMAND}'`,
];
/** The hint with a line of a workflow, for a step that uses the GitHub Action of sophia-run. */
const WORKFLOW_HINT: readonly [string, string] = [
  `${HINT_BEGINNING}, write under env of the step:`,
  `  ${COMMAND_VARIABLE}: ${COMMAND}`,
];

/** The settings that a token does not replace: the environment of ESC, and the organization for an ID token. */
const OTHER_SETTINGS: ReadonlySet<string> = new Set(["ESC_ENV", "ESC_OIDC_ORG"]);

/**
 * Returns the two lines of the hint, of which the second is a command to paste. Returns no lines if the process environment has no usable
 * token, or if a setting is missing that a token does not replace.
 *
 * @param missing the name of the missing setting, as `escAccess` returns it
 */
export function pulumiTokenRemedy(missing: string, environment: Environment): readonly string[] {
  if (OTHER_SETTINGS.has(missing)) return [];
  // No layers of files: the command prints the variable of the process, which a file does not set.
  const token = new VariableLookup(environment, []).findInProcess(TOKEN_VARIABLE)?.value.trim() ?? "";
  // In a token with other characters `cmd.exe` would find commands of its own.
  const isPrintable = !IS_WINDOWS || /^[\w.-]+$/.test(token);
  return isToken(token) && isPrintable ? SHELL_HINT : [];
}

/** Replaces the hint for a shell in a message by the hint for a workflow, if the message has it. */
export function replaceByWorkflowHint(message: string): string {
  // A replacement by a function, because `$` has a meaning in a replacement by a string.
  return message.replaceAll(SHELL_HINT.join("\n"), () => WORKFLOW_HINT.join("\n"));
}
