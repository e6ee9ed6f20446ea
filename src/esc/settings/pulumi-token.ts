/** The token of Pulumi's own programs, which CI often has. It opens ESC only if the user says so: a contract may declare it. */
import type { Environment } from "../../core/model.ts";
import { isToken } from "./secret.ts";
import { VariableLookup } from "./variables.ts";

const NAME = "PULUMI_ACCESS_TOKEN";
const ASSIGNED = "ESC_TOKEN_COMMAND";
const IS_WINDOWS = process.platform === "win32";
/** Prints the token: `ESC_TOKEN_COMMAND` is run by `sh`, on Windows by `cmd.exe`, which has no `printenv`. */
const COMMAND = IS_WINDOWS ? `echo %${NAME}%` : `printenv ${NAME}`;
const PRESENT = `${NAME} is set`;

/** The two lines that say how the token opens ESC: in a shell, on Windows in PowerShell. */
const IN_SHELL: readonly [string, string] = [
  `${PRESENT}; to open ESC with it:`,
  IS_WINDOWS ? `  $env:${ASSIGNED} = '${COMMAND}'` : `  export ${ASSIGNED}='${COMMAND}'`,
];
/** The same for a step of GitHub Actions that uses the action. */
const IN_STEP: readonly [string, string] = [
  `${PRESENT}; to open ESC with it, write under env of the step:`,
  `  ${ASSIGNED}: ${COMMAND}`,
];

/** A missing setting that another one must supply, so that a token alone does not help. */
const NOT_BY_TOKEN: ReadonlySet<string> = new Set(["ESC_ENV", "ESC_OIDC_ORG"]);

/**
 * Returns the lines that say how the caller's `PULUMI_ACCESS_TOKEN` opens ESC; none if a file has it, or if another setting is
 * missing than a token. The second line is a command to paste.
 *
 * @param missing the setting that is missing, by `escAccess`
 */
export function pulumiTokenRemedy(missing: string, environment: Environment): readonly string[] {
  if (NOT_BY_TOKEN.has(missing)) return [];
  const token = new VariableLookup(environment, []).findInProcess(NAME)?.value.trim() ?? "";
  // The command would fail, or `cmd.exe` would read a part of it as a command.
  return isToken(token) && (!IS_WINDOWS || /^[\w.-]+$/.test(token)) ? IN_SHELL : [];
}

/** Returns a message in which the command for a shell is the line for a step of GitHub Actions. */
export function withRemedyOfStep(text: string): string {
  return text.replaceAll(IN_SHELL.join("\n"), () => IN_STEP.join("\n"));
}
