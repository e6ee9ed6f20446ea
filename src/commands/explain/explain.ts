import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { startWith } from "../assessed.ts";
import { refuseBrokerOptions } from "../broker/options.ts";
import type { Command } from "../command.ts";
import { awsExplainer } from "./aws.ts";
import { brokerExplainer } from "./broker.ts";
import { makeExplanation } from "./explanation.ts";
import { explanationJson, explanationText } from "./text.ts";

export const explain: Command = async ({ options, positionals }, context) => {
  const settings = resolveSettings(options, context.environment);
  refuseBrokerOptions(settings, options);
  const start = await startWith(settings, context);
  const broker = brokerExplainer(start, settings, options, context);
  const aws = awsExplainer(start, settings);
  const explanation = makeExplanation(start, positionals, options["all"] === true, { broker, aws });
  printNotices(context, { quiet: true, isReport: !settings.quiet }, start.verdict.notices);
  if (options["json"] === true) context.out(explanationJson(explanation));
  else printReport(context, explanationText(explanation, positionals.length > 0));
  return ExitStatus.ok;
};
