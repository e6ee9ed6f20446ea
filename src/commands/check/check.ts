import { conflict, usageError } from "../parts/usage-errors.ts";
import { ExitStatus } from "../../core/error.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { printReport } from "../../output/colour.ts";
import { printLines } from "../../output/stderr.ts";
import { makeProgress } from "../../output/progress.ts";
import type { EscStatus } from "../../resolve/start.ts";
import { type EnvironmentAge, environmentAges, type EnvironmentGates, environmentGates } from "./environments.ts";
import { makeReport } from "../../output/report.ts";
import { similarNameLines } from "../../output/unset-values.ts";
import { explainUnmet, setOffer } from "../../output/unmet.ts";
import { unreadFileLines } from "../../output/unread-file.ts";
import { printNotices } from "../../output/print-notices.ts";
import { startWith } from "../parts/command-start.ts";
import type { Command } from "../command.ts";
import { versionLine } from "../version/version.ts";
import { INDENTED, type ExtraCheck, reportJson, reportText } from "./check-text.ts";
import { trackedFiles } from "./tracked-env-files.ts";

export const check: Command = async ({ options, positionals }, context) => {
  const { against } = options;
  if (options["code"] === true) {
    const other = ["against", "overdue", "live", "broker"].find((name) => (options[name] ?? false) !== false);
    if (other !== undefined) throw conflict("--code", `--${other}`);
    const { checkCode } = await import("./code/check-code.ts");
    return checkCode(positionals[0], options, context);
  }
  const asJson = options["json"] === true;
  const asking = typeof against === "string" ? "--against" : options["overdue"] === true ? "--overdue" : undefined;
  if (asking !== undefined && resolveSettings(options, context.environment).offline) {
    throw conflict(asking, "--offline (SOPHIA_OFFLINE)");
  }
  if (typeof against === "string") {
    const other = ["overdue", "live"].find((name) => options[name] === true);
    if (other !== undefined) throw conflict("--against", `--${other}`);
    const { compare } = await import("../compare/compare.ts");
    return compare(against, options, asJson, context);
  }
  const isLive = options["live"] === true;
  const strict = options["strict"] === true;
  if (strict && !isLive) {
    throw usageError(
      "--strict needs --against, --live or --code",
      "add --against ENV,ENV, --live or --code, or leave --strict out",
    );
  }
  const settings = resolveSettings(options, context.environment);
  if (settings.broker || Object.keys(options).some((name) => name.startsWith("broker-"))) {
    (await import("../parts/broker/broker-options.ts")).refuseBrokerOptions(settings, options);
  }
  if (settings.verbose) printLines(context, [`version ${versionLine().trimEnd()}`]);
  const start = await startWith(settings, context);
  const report = makeReport(start);
  const [tracked, [ages, gates]] = await Promise.all([
    trackedFiles(settings, start.files.contract, context),
    requestDetails(start.store.esc, settings, context),
  ]);
  const checks: ExtraCheck[] = [];
  if (options["overdue"] === true) {
    const { checkOverdue } = await import("./overdue.ts");
    checks.push(await checkOverdue(settings, start.files.contract, context));
  }
  if (isLive) {
    if (settings.fake !== undefined) throw conflict("--live", "--fake (SOPHIA_FAKE)");
    const { checkLive } = await import("./live/live.ts");
    checks.push(await checkLive(start, settings, { isConfirmed: options["yes"] === true, strict }, context));
  }
  if (settings.broker) {
    const { checkBroker } = await import("./check-broker.ts");
    checks.push(checkBroker(start, settings, options, context));
  }
  const { refresh, awsRefresh } = start.files.contract;
  if ((settings.refresh ?? refresh) === true || (settings.awsRefresh ?? awsRefresh) === true) {
    const { reportRefresh } = await import("../parts/refresh/refresh-report.ts");
    const renewed = reportRefresh(start, settings);
    if (renewed !== undefined) checks.push(await (await import("./check-refresh.ts")).checkRefresh(renewed, context));
  }
  const unread = report.met || asJson ? [] : await unreadFileLines(start, settings, context);
  const unmet = report.met || asJson ? undefined : explainUnmet(start, INDENTED, setOffer(context), unread);
  // The report itself has these two.
  const notices = start.verdict.notices.filter(
    ({ kind }) => kind !== "esc-kept" && (kind !== "esc-incomplete" || unmet?.cause === undefined),
  );
  printNotices(context, { quiet: true, isReport: !settings.quiet }, notices);
  const extras = { tracked, ages, gates, checks };
  if (asJson) context.out(reportJson(report, extras));
  else printReport(context, reportText(report, unmet, { ...extras, similarNames: similarNameLines(start) }));
  return report.met && checks.every(({ failures }) => failures.length === 0) ? ExitStatus.ok : ExitStatus.unmet;
};

/** Requests age and approvals of the environments that were read, as far as the launcher's token may see them. */
async function requestDetails(
  esc: EscStatus,
  settings: Settings,
  context: Context,
): Promise<[readonly EnvironmentAge[], readonly EnvironmentGates[]]> {
  // With cached values, ESC must not be contacted (--offline), or does not answer.
  if (esc.kind !== "read" || esc.kept !== undefined) return [[], []];
  const progress = await makeProgress(context, settings);
  const asking = [environmentAges(esc.settings, progress), environmentGates(esc.settings, progress)] as const;
  return Promise.all(asking).finally(progress.done);
}
