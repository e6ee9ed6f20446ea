/** Performs the steps of `init`, and prints what was done and what is next. */
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { writeText } from "../parts/project-files.ts";
import { EXTRAS, type Extra } from "./extras.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { hasDependency } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { PYTHON_TOOLS } from "./python.ts";
import { type Offer, targetFile, type SetupStep } from "./setup-step.ts";

export function perform(step: Exclude<SetupStep, Offer>, context: Context): void {
  const { file, remark } = step;
  const remarks = remarkLines(remark);
  switch (step.kind) {
    case "create":
      writeText(targetFile(file, context), step.text, "wx");
      printReport(context, [`created ${file}`, ...remarks]);
      return;
    case "edit":
      writeText(targetFile(file, context), step.text);
      printReport(context, [{ text: `changed ${file}: it now has`, hang: 2 }]);
      printFileLines(step.written, context);
      printReport(context, remarks);
      return;
    case "advise":
      printReport(context, ["", { text: `${file}: ${step.title ?? "add"}`, hang: 2 }]);
      printFileLines(step.lines, context);
      printReport(context, remarks);
      return;
    case "ready":
      printReport(context, [`${file} uses sophia-run already`]);
  }
}

export function remarkLines(remark: string | undefined): readonly Line[] {
  return remark === undefined ? [] : [{ text: `  (${remark})`, hang: 3 }];
}

/** Prints lines of a file. Not by printReport(), which would write the command as the user called it. */
export function printFileLines(lines: readonly string[], context: Context): void {
  context.out(lines.map((line) => `  ${printable(line)}\n`).join(""));
}

/** @param left the extras that init can still create */
export function printNext({ project }: Survey, left: readonly Extra[], context: Context): void {
  const more = left.map((name) => ({ text: `  ${`--with ${name}`.padEnd(20)} ${EXTRAS[name]}`, hang: 23 }));
  if (more.length > 0) printReport(context, ["", "init can also create:", ...more]);
  const { manifest, node, python } = project;
  const isAdded = manifest === undefined || usesRootsDependency(project) || hasDependency(manifest);
  const other = python === undefined ? "" : PYTHON_TOOLS[python].run;
  const run = manifest === undefined ? other : NODE_TOOLS[node.name].run;
  const first = isAdded ? "refine the contract" : "add sophia-run as above, refine the contract";
  const next = ["check", "docs"].map((name) => ({ text: `  ${run}sophia-run ${name}`, whole: true }));
  printReport(context, ["", { text: `Next: ${first}, then run`, hang: 2 }, ...next]);
}
