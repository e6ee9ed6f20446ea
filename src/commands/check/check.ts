import { usageError } from "../mistakes.ts";
import { ExitStatus } from "../../core/error.ts";
import { makeReport } from "../../output/report.ts";
import { explainUnmet } from "../../output/unmet.ts";
import { say } from "../../output/say.ts";
import { assessed } from "../assessed.ts";
import type { Command } from "../command.ts";
import { json } from "./json.ts";
import { INDENTED, text } from "./text.ts";
import { trackedFiles } from "./tracked.ts";

/** `sophia-run check`: 0 when the contract is met, 1 when it is not. */
export const check: Command = async ({ options }, context) => {
  const { against } = options;
  const asJson = options["json"] === true;
  if (typeof against === "string") {
    const { compare } = await import("../compare/compare.ts");
    return compare(against, options, asJson, context);
  }
  if (options["strict"] === true) {
    throw usageError(
      "--strict goes with --against: it says whether drift between environments fails",
      "add --against ENV,ENV, or leave --strict out",
    );
  }
  const { settings, assessment } = await assessed(options, context);
  const report = makeReport(assessment);
  const tracked = await trackedFiles(settings, assessment, context);
  // The report itself tells what overrides ESC.
  say(context, { quiet: true }, assessment.notices);
  if (asJson) context.out(json(report, tracked));
  else context.out(text(report, report.met ? undefined : explainUnmet(assessment, INDENTED), tracked));
  return report.met ? ExitStatus.ok : ExitStatus.unmet;
};
