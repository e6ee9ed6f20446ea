import { usageError } from "../mistakes.ts";
import { ExitStatus } from "../../core/error.ts";
import { settle, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { tell } from "../../output/colour.ts";
import { makeProgress } from "../../output/progress.ts";
import type { EscStatus } from "../../resolve/assessment.ts";
import { type EnvironmentAge, environmentAges } from "../audit/environment-age.ts";
import { makeReport } from "../../output/report.ts";
import { explainUnmet, setOffer } from "../../output/unmet.ts";
import { say } from "../../output/say.ts";
import { assessed } from "../assessed.ts";
import type { Command } from "../command.ts";
import { type EnvironmentGates, environmentGates } from "./gates.ts";
import { INDENTED, json, type Part, text } from "./text.ts";
import { trackedFiles } from "./tracked.ts";

/** `sophia-run check`: 0 if the contract is met, else 1. */
export const check: Command = async ({ options }, context) => {
  const { against } = options;
  const asJson = options["json"] === true;
  const asking = typeof against === "string" ? "--against" : options["overdue"] === true ? "--overdue" : undefined;
  if (asking !== undefined && settle(options, context.environment).offline) {
    throw usageError(`${asking} asks ESC, which --offline (SOPHIA_OFFLINE) rules out`, "leave one of them out");
  }
  if (typeof against === "string") {
    const other = ["overdue", "live"].find((name) => options[name] === true);
    if (other !== undefined) {
      throw usageError(`--against opens no environment, and --${other} needs one`, "leave one of them out");
    }
    const { compare } = await import("../compare/compare.ts");
    return compare(against, options, asJson, context);
  }
  const isLive = options["live"] === true;
  const strict = options["strict"] === true;
  if (strict && !isLive) {
    throw usageError(
      "--strict goes with --against and with --live: it says whether drift, or a doubt, fails",
      "add --against ENV,ENV or --live, or leave --strict out",
    );
  }
  const { settings, assessment } = await assessed(options, context);
  const report = makeReport(assessment);
  const [tracked, [ages, gates]] = await Promise.all([
    trackedFiles(settings, assessment, context),
    askOfRead(assessment.esc, settings, context),
  ]);
  const parts: Part[] = [];
  if (options["overdue"] === true) {
    const { checkOverdue } = await import("./overdue.ts");
    parts.push(await checkOverdue(settings, assessment.contract, context));
  }
  if (isLive) {
    if (settings.fake) throw usageError("--live has nothing to try with --fake", "leave one of them out");
    const { checkLive } = await import("./live/live.ts");
    parts.push(await checkLive(assessment, settings, { isConfirmed: options["yes"] === true, strict }, context));
  }
  const unmet = report.met || asJson ? undefined : explainUnmet(assessment, INDENTED, setOffer(context));
  // The report itself says that ESC is cached, and why it is not read.
  const notices = assessment.notices.filter(
    ({ kind }) => kind !== "esc-kept" && (kind !== "esc-incomplete" || unmet?.cause === undefined),
  );
  say(context, { quiet: true, isReport: !settings.quiet }, notices);
  const beside = { tracked, ages, gates, parts };
  if (asJson) context.out(json(report, beside));
  else tell(context, text(report, unmet, beside));
  return report.met && parts.every(({ failures }) => failures.length === 0) ? ExitStatus.ok : ExitStatus.unmet;
};

/** Asks for the age and the approvals of the environments that were read, as far as the launcher's token may see them. */
async function askOfRead(
  esc: EscStatus,
  settings: Settings,
  context: Context,
): Promise<[readonly EnvironmentAge[], readonly EnvironmentGates[]]> {
  // With values from the cache, ESC must not be asked, or does not answer.
  if (esc.kind !== "read" || esc.kept !== undefined) return [[], []];
  const progress = await makeProgress(context, settings);
  const asking = [environmentAges(esc.settings, progress), environmentGates(esc.settings, progress)] as const;
  return Promise.all(asking).finally(progress.done);
}
