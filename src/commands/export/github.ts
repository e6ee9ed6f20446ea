import { systemErrorCode } from "../../system/errors.ts";
import { endsInMidLine } from "../../system/line-end.ts";
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, fstatSync, openSync, statSync } from "node:fs";
import { EOL } from "node:os";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { isIdentifier, type VariableFormat } from "./format.ts";

/**
 * The form of multi-line values of GITHUB_ENV: `NAME<<DELIMITER`, the value, `DELIMITER`. The delimiter is random, so
 * that no value can end itself and begin a variable of its own. On Windows the runner takes CR LF for one end of a line,
 * which would cost a value the CR at its end.
 */
export const github: VariableFormat = {
  fault: ({ name }) => {
    if (!isIdentifier(name)) return "its name is not one of letters, digits and _";
    return name === "NODE_OPTIONS" ? "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV" : undefined;
  },
  write: (variables) =>
    variables
      .map(({ name, value }) => {
        const delimiter = `sophia_run_${randomBytes(24).toString("hex")}`;
        return [`${name}<<${delimiter}`, value, delimiter, ""].join(EOL);
      })
      .join(""),
};

/** Destinations of the two parts of the output. */
export interface Targets {
  /** The file that GITHUB_ENV names, when it is to be appended to. */
  readonly file?: string;
  readonly masks: "out" | "err";
}

/**
 * With GITHUB_ENV the variables go to that file and the masks to the standard output, where the runner reads commands. If
 * the standard output is that very file (`>> "$GITHUB_ENV"`), the masks go to the standard error, which it reads as well.
 */
export function githubTargets({ environment }: Pick<Context, "environment">): Targets {
  const file = environment.get("GITHUB_ENV") ?? "";
  if (file === "") return { masks: "out" };
  const target = statSync(file, { throwIfNoEntry: false });
  const out = stdoutStat();
  if (target !== undefined && out?.dev === target.dev && out.ino === target.ino) return { masks: "err" };
  return { file, masks: "out" };
}

function stdoutStat(): { readonly dev: number; readonly ino: number } | undefined {
  try {
    return fstatSync(1);
  } catch {
    // It is closed, so it is not the file.
    return undefined;
  }
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

/** An earlier step may have left its last line open. */
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
