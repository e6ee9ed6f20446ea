import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { assessed } from "../assessed.ts";
import type { Command } from "../command.ts";
import { brokerExplainer } from "./broker.ts";
import { makeExplanation } from "./explanation.ts";
import { explanationJson, explanationText } from "./text.ts";

export const explain: Command = async ({ options, positionals }, context) => {
  const { assessment, settings } = await assessed(options, context);
  const broker = brokerExplainer(assessment, settings, context);
  const explanation = makeExplanation(assessment, positionals, options["all"] === true, broker);
  printNotices(context, { quiet: true, isReport: !settings.quiet }, assessment.notices);
  if (options["json"] === true) context.out(explanationJson(explanation));
  else printReport(context, explanationText(explanation, positionals.length > 0));
  return ExitStatus.ok;
};
