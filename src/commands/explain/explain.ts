/**
 * The command `sophia-run explain`. It reports for each variable where its value comes from, which values it overrides, and
 * what the program gets. explanation.ts collects the facts, and explanation-text.ts writes the report. explain-broker.ts
 * and explain-refresh.ts add the effects of `--broker` and `--refresh`.
 */
import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import { refuseBrokerOptions } from "../parts/broker/broker-options.ts";
import type { Command } from "../command.ts";
import { createBrokerExplainer } from "./explain-broker.ts";
import { createRefreshExplainer } from "./explain-refresh.ts";
import { createExplanation } from "./explanation.ts";
import { formatExplanationJson, formatExplanation } from "./explanation-text.ts";

/** Returns 0, also if the contract is not met. @throws SophiaError (125) */
export const explain: Command = async ({ options, positionals }, context) => {
  const settings = resolveSettings(options, context.environment);
  refuseBrokerOptions(settings, options);
  const start = await resolveCommandStart(settings, context);
  const broker = createBrokerExplainer(start, settings, options, context);
  const refresh = createRefreshExplainer(start, settings);
  const explanation = createExplanation(
    start,
    { names: positionals, listsAll: options["all"] === true },
    { broker, refresh },
  );
  const asJson = options["json"] === true;
  // The report for people begins with the reason why ESC is not read, so that the notice would repeat it.
  const notices = start.verdict.notices.filter(({ kind }) => asJson || kind !== "esc-incomplete");
  printNotices(context, { quiet: true, isReport: !settings.quiet }, notices);
  if (asJson) context.out(formatExplanationJson(explanation));
  else printReport(context, formatExplanation(explanation, positionals.length > 0));
  return ExitStatus.ok;
};
