import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { startWith } from "../parts/command-start.ts";
import { refuseBrokerOptions } from "../parts/broker/broker-options.ts";
import type { Command } from "../command.ts";
import { brokerExplainer } from "./explain-broker.ts";
import { refreshExplainer } from "./explain-refresh.ts";
import { makeExplanation } from "./explanation.ts";
import { explanationJson, explanationText } from "./explanation-text.ts";

export const explain: Command = async ({ options, positionals }, context) => {
  const settings = resolveSettings(options, context.environment);
  refuseBrokerOptions(settings, options);
  const start = await startWith(settings, context);
  const broker = brokerExplainer(start, settings, options, context);
  const refresh = refreshExplainer(start, settings);
  const explanation = makeExplanation(start, positionals, options["all"] === true, { broker, refresh });
  printNotices(context, { quiet: true, isReport: !settings.quiet }, start.verdict.notices);
  if (options["json"] === true) context.out(explanationJson(explanation));
  else printReport(context, explanationText(explanation, positionals.length > 0));
  return ExitStatus.ok;
};
