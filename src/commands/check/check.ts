import { usageError } from "../mistakes.ts";
import { ExitStatus } from "../../core/error.ts";
import { makeReport } from "../../output/report.ts";
import { say } from "../../output/stderr.ts";
import { assessed } from "../assessed.ts";
import type { Command } from "../command.ts";
import { json } from "./json.ts";
import { text } from "./text.ts";

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
  say(context, settings, assessment.notices);
  context.out(asJson ? json(report) : text(report));
  return report.met ? ExitStatus.ok : ExitStatus.unmet;
};
