import { systemErrorCode } from "../../system/errors.ts";
import { endsInMidLine } from "../parts/audit-log/log-file.ts";
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, fstatSync, openSync, statSync } from "node:fs";
import { EOL } from "node:os";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { invalidName, type VariableFormat } from "./exported.ts";

/**
 * `NAME<<DELIMITER`, the value, `DELIMITER`. The delimiter is random, so that a value cannot end itself and begin another
 * variable. Lines end in CR LF on Windows: before LF alone the runner would drop a CR at the end of the value.
 */
export const github: VariableFormat = {
  fault: ({ name }) =>
    name === "NODE_OPTIONS" ? "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV" : invalidName(name),
  write: (variables) =>
    variables
      .map(({ name, value }) => {
        const delimiter = `sophia_run_${randomBytes(24).toString("hex")}`;
        return [`${name}<<${delimiter}`, value, delimiter, ""].join(EOL);
      })
      .join(""),
};

export interface Targets {
  /** The file that GITHUB_ENV names, unless the standard output appends to it. */
  readonly file?: string;
  readonly masks: "out" | "err";
}

/** Sends masks to the standard output or, if that is the file of GITHUB_ENV, to the standard error; the runner reads both. */
export function githubTargets({ environment }: Pick<Context, "environment">): Targets {
  const file = environment.get("GITHUB_ENV") ?? "";
  if (file === "") return { masks: "out" };
  try {
    const [target, out] = [statSync(file, { throwIfNoEntry: false }), fstatSync(1)];
    if (out.dev === target?.dev && out.ino === target.ino) return { masks: "err" };
  } catch (error) {
    // A closed standard output is not the file.
    if (systemErrorCode(error) !== "EBADF") throw error;
  }
  return { file, masks: "out" };
}

/** Appends to a file of the runner. @param variable names it @throws SophiaError (output, 125) */
export function appendTo(file: string, text: string, variable = "GITHUB_ENV"): void {
  try {
    appendFileSync(file, endsMidLine(file) ? `\n${text}` : text, { mode: 0o600 });
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    throw new SophiaError({
      code: "output",
      message: `the file that ${variable} names, ${printable(file)}, cannot be written (${code})`,
      hint: `in a step of GitHub Actions the runner sets ${variable}; elsewhere unset it`,
    });
  }
}

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
