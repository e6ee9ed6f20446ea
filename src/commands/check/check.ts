import { usageError } from "../mistakes.ts";
import { ExitStatus } from "../../core/error.ts";
import { settle, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Notice } from "../../core/model.ts";
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
import { json } from "./json.ts";
import { INDENTED, text } from "./text.ts";
import type { Part } from "./part.ts";
import { trackedFiles } from "./tracked.ts";

/** `sophia-run check`: 0 when the contract is met, 1 when it is not. */
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
  // The report itself tells what overrides ESC, that the cache serves, and why ESC is not read.
  const isTold = (kind: Notice["kind"]): boolean =>
    kind === "esc-kept" || (kind === "esc-incomplete" && unmet?.cause !== undefined);
  say(
    context,
    { quiet: true, isReport: !settings.quiet },
    assessment.notices.filter(({ kind }) => !isTold(kind)),
  );
  if (asJson) context.out(json(report, { tracked, ages, gates, parts }));
  else tell(context, text(report, unmet, { tracked, ages, gates, parts }));
  return report.met && parts.every(({ failures }) => failures.length === 0) ? ExitStatus.ok : ExitStatus.unmet;
};

/** How old the environments are that were read, and what of them has to be approved, as far as the launcher's token may see it. */
async function askOfRead(
  esc: EscStatus,
  settings: Settings,
  context: Context,
): Promise<[readonly EnvironmentAge[], readonly EnvironmentGates[]]> {
  // Where the cache serves, nobody is to be asked, or nobody answers.
  if (esc.kind !== "read" || esc.kept !== undefined) return [[], []];
  const progress = await makeProgress(context, settings);
  const asking = [environmentAges(esc.settings, progress), environmentGates(esc.settings, progress)] as const;
  return Promise.all(asking).finally(progress.done);
}
