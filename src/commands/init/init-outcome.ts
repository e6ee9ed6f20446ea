/** Performs the setup steps of `init`, and prints each result and what the user can do next. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { writeTextFile } from "../parts/project-files.ts";
import { EXTRAS, type Extra } from "./extras.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { hasDependency } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { type Offer, targetFile, type SetupStep } from "./setup-step.ts";

/** Creates or edits the file of a step, or prints the advice. offers.ts performs the steps to which the user must agree. */
export function performStep(step: Exclude<SetupStep, Offer>, context: Context): void {
  const { file } = step;
  const remarks = remarkLines(step.remark);
  switch (step.kind) {
    case "create":
      // "wx" fails if another program has created the file in the meantime.
      writeTextFile(targetFile(file, context), step.text, "wx");
      printReport(context, [`created ${file}`, ...remarks]);
      return;
    case "edit":
      writeTextFile(targetFile(file, context), step.text);
      printReport(context, [{ text: `changed ${file}: it now has`, hangingIndent: 2 }]);
      printFileLines(step.newLines, context);
      printReport(context, remarks);
      return;
    case "advise":
      printReport(context, ["", { text: `${file}: ${step.title ?? "add"}`, hangingIndent: 2 }]);
      printFileLines(step.lines, context);
      printReport(context, remarks);
      return;
    case "ready":
      printReport(context, [`${file} uses sophia-run already`]);
  }
}

/** Returns the line that follows the lines of a step: `(then pip install .)`. */
export function remarkLines(remark: string | undefined): readonly Line[] {
  return remark === undefined ? [] : [{ text: `  (${remark})`, hangingIndent: 3 }];
}

/**
 * Prints lines that belong into a file. printReport() must not print them, since it replaces `sophia-run` by the command
 * with which the user started it.
 */
export function printFileLines(lines: readonly string[], context: Context): void {
  context.out(lines.map((line) => `  ${printable(line)}\n`).join(""));
}

/** The width of the column with the options `--with NAME`. */
const OPTION_COLUMNS = 20;

/**
 * Prints the extras that init can still create, and the commands that the user should run next.
 *
 * @param possible the names of these extras
 */
export function printNextSteps({ project }: Survey, possible: readonly Extra[], context: Context): void {
  const extraLines = possible.map((name): Line => {
    const firstColumn = `  ${`--with ${name}`.padEnd(OPTION_COLUMNS)} `;
    return { text: firstColumn + EXTRAS[name], hangingIndent: firstColumn.length };
  });
  if (extraLines.length > 0) printReport(context, ["", "init can also create:", ...extraLines]);
  const { manifest, node, python } = project;
  const isInstalled = manifest === undefined || usesRootsDependency(project) || hasDependency(manifest);
  const instruction = isInstalled ? "refine the contract" : "add sophia-run as above, refine the contract";
  const pythonPrefix = python === undefined ? "" : PYTHON_TOOLS[python].runPrefix;
  const prefix = manifest === undefined ? pythonPrefix : NODE_TOOLS[node.name].runPrefix;
  const commands = ["check", "docs"].map((name) => ({ text: `  ${prefix}sophia-run ${name}`, neverWraps: true }));
  printReport(context, ["", { text: `Next: ${instruction}, then run`, hangingIndent: 2 }, ...commands]);
}
