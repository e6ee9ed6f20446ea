/**
 * The format `github` of `sophia-run export`, which hands variables to later steps of a GitHub Actions job. It appends them
 * to the file that GITHUB_ENV names. The action of sophia-run uses this file, too.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, fstatSync, openSync, statSync } from "node:fs";
import { EOL } from "node:os";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { endsInMidLine } from "../parts/audit-log/log-file.ts";
import { findShellNameFault, type VariableFormat } from "./exported-variables.ts";

/**
 * The format of GITHUB_ENV. The delimiter is random, so that a value cannot contain it and set another variable:
 *
 *     NAME<<sophia_run_4f…
 *     the value, which may have several lines
 *     sophia_run_4f…
 *
 * On Windows lines end in CR LF, because before a LF alone the runner would drop a CR at the end of the value.
 */
export const githubFormat: VariableFormat = {
  findFault: ({ name }) =>
    name === "NODE_OPTIONS" ? "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV" : findShellNameFault(name),
  write: (variables) =>
    variables
      .map(({ name, value }) => {
        const delimiter = `sophia_run_${randomBytes(24).toString("hex")}`;
        return [`${name}<<${delimiter}`, value, delimiter, ""].join(EOL);
      })
      .join(""),
};

/** The file and the stream to which `export --format github` writes. */
export interface GithubTargets {
  /** The file that GITHUB_ENV names. Absent if there is none, or if the standard output is this file. */
  readonly file?: string;
  /** The stream for the commands by which the runner masks secrets in its log. */
  readonly maskStream: "out" | "err";
}

/**
 * Returns the targets of this step. Commands go to the standard output or, if that is the file of GITHUB_ENV, to the
 * standard error. The runner reads both.
 */
export function findGithubTargets({ environment }: Pick<Context, "environment">): GithubTargets {
  const file = environment.get("GITHUB_ENV") ?? "";
  if (file === "") return { maskStream: "out" };
  try {
    const targetFile = statSync(file, { throwIfNoEntry: false });
    const standardOutput = fstatSync(1);
    const isSameFile = standardOutput.dev === targetFile?.dev && standardOutput.ino === targetFile.ino;
    if (isSameFile) return { maskStream: "err" };
  } catch (error) {
    // If the standard output is closed, it is not the file.
    if (systemErrorCode(error) !== "EBADF") throw error;
  }
  return { file, maskStream: "out" };
}

/**
 * Appends lines to a file of GitHub's runner.
 *
 * @param fileVariable the variable that names the file, for the message
 * @throws SophiaError (output, 125) if the file cannot be written
 */
export function appendToRunnerFile(file: string, text: string, fileVariable = "GITHUB_ENV"): void {
  try {
    // An earlier step may have left a line without its end.
    appendFileSync(file, endsMidLine(file) ? `\n${text}` : text, { mode: 0o600 });
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    throw new SophiaError({
      code: "output",
      message: `the file that ${fileVariable} names, ${printable(file)}, cannot be written (${code})`,
      hint: `in a step of GitHub Actions the runner sets ${fileVariable}; elsewhere unset it`,
    });
  }
}

/** Returns true if the last line of a file has no line end. */
function endsMidLine(file: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return false;
  const descriptor = openSync(file, "r");
  try {
    return endsInMidLine(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}
