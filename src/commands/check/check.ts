/**
 * The command `sophia-run check`. It reads all sources of values as a start would, and reports whether the values meet the
 * contract; no program is started. `--overdue`, `--live`, `--broker` and `--refresh` each add an {@link ExtraCheck} to the
 * report. With `--code` and `--against` other functions run instead, which compare code, or ESC environments, with the
 * contract.
 */
import { conflictError, usageError } from "../parts/usage-errors.ts";
import { ExitStatus } from "../../core/error.ts";
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Values } from "../../command-line/options.ts";
import type { Context } from "../../core/context.ts";
import { printReport } from "../../output/colour.ts";
import { printLines } from "../../output/stderr.ts";
import { createProgress } from "../../output/progress.ts";
import type { EscStatus, Start } from "../../resolve/start.ts";
import {
  type EnvironmentAge,
  type EnvironmentGates,
  readEnvironmentAges,
  readEnvironmentGates,
} from "./environments.ts";
import { createReport } from "../../output/report.ts";
import { describeSimilarNames } from "../../output/unset-values.ts";
import { explainUnmet, chooseSetCommandInput, type UnmetReport } from "../../output/unmet.ts";
import { describeUnreadFiles } from "../../output/unread-file.ts";
import { printNotices } from "../../output/print-notices.ts";
import { resolveCommandStart } from "../parts/command-start.ts";
import type { Command } from "../command.ts";
import { versionLine } from "../version/version.ts";
import { reportJson } from "./check-json.ts";
import { INDENTED_WIDTH } from "./check-summary.ts";
import { reportText } from "./check-text.ts";
import type { ExtraCheck } from "./extra-check.ts";
import { findTrackedEnvFiles } from "./tracked-env-files.ts";

/** Returns 0 if the contract is met and no further check fails, else 1. @throws SophiaError (125) */
export const check: Command = async ({ options, positionals }, context) => {
  if (options["code"] === true) {
    refuseOptions(options, "--code", ["against", "overdue", "live", "broker"]);
    const { checkCode } = await import("./code/check-code.ts");
    return checkCode(positionals[0], options, context);
  }
  const asJson = options["json"] === true;
  const { against } = options;
  refuseOffline(options, context);
  if (typeof against === "string") {
    refuseOptions(options, "--against", ["overdue", "live"]);
    const { compare } = await import("../compare/compare.ts");
    return compare(against, options, asJson, context);
  }
  if (options["strict"] === true && options["live"] !== true) {
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
  return checkStart(settings, options, context);
};

/** @throws SophiaError (usage, 125) if the user has given one of the other options, too */
function refuseOptions(options: Values, option: string, others: readonly string[]): void {
  const other = others.find((name) => (options[name] ?? false) !== false);
  if (other !== undefined) throw conflictError(option, `--${other}`);
}

/** @throws SophiaError (usage, 125) if a check needs ESC, but `--offline` forbids to contact it */
function refuseOffline(options: Values, { environment }: Context): void {
  const optionWithEsc =
    typeof options["against"] === "string" ? "--against" : options["overdue"] === true ? "--overdue" : undefined;
  if (optionWithEsc !== undefined && resolveSettings(options, environment).offline) {
    throw conflictError(optionWithEsc, "--offline (SOPHIA_OFFLINE)");
  }
}

/** Checks the values that a start would have, and prints the report. @returns the exit status */
async function checkStart(settings: Settings, options: Values, context: Context): Promise<number> {
  const start = await resolveCommandStart(settings, context);
  const report = createReport(start);
  const [trackedFiles, [ages, gates]] = await Promise.all([
    findTrackedEnvFiles(settings, start.files.contract, context),
    readEnvironmentDetails(start.store.esc, settings, context),
  ]);
  const checks = await runExtraChecks(start, settings, options, context);
  const extras = { trackedFiles, ages, gates, checks };
  if (options["json"] === true) {
    printOtherNotices(start, undefined, settings, context);
    context.out(reportJson(report, extras));
  } else {
    const unread = report.met ? [] : await describeUnreadFiles(start, settings, context);
    const unmet = report.met ? undefined : explainUnmet(start, INDENTED_WIDTH, chooseSetCommandInput(context), unread);
    printOtherNotices(start, unmet, settings, context);
    printReport(context, reportText(report, unmet, { ...extras, similarNames: describeSimilarNames(start) }));
  }
  const isPassed = report.met && checks.every(({ failures }) => failures.length === 0);
  return isPassed ? ExitStatus.ok : ExitStatus.unmet;
}

/**
 * Runs the checks that options add, in the order of their sections in the report. Their code is loaded only if it is
 * needed.
 */
async function runExtraChecks(
  start: Start,
  settings: Settings,
  options: Values,
  context: Context,
): Promise<readonly ExtraCheck[]> {
  const checks: ExtraCheck[] = [];
  if (options["overdue"] === true) {
    const { checkOverdue } = await import("./overdue.ts");
    checks.push(await checkOverdue(settings, start.files.contract, context));
  }
  if (options["live"] === true) {
    if (settings.fake !== undefined) throw conflictError("--live", "--fake (SOPHIA_FAKE)");
    const { checkLive } = await import("./live/live.ts");
    const choices = { isConfirmed: options["yes"] === true, strict: options["strict"] === true };
    checks.push(await checkLive(start, settings, choices, context));
  }
  if (settings.broker) {
    const { checkBroker } = await import("./check-broker.ts");
    checks.push(checkBroker(start, settings, options, context));
  }
  const { refresh, awsRefresh } = start.files.contract;
  if ((settings.refresh ?? refresh) === true || (settings.awsRefresh ?? awsRefresh) === true) {
    const { reportRefresh } = await import("../parts/refresh/refresh-report.ts");
    const renewals = reportRefresh(start, settings);
    if (renewals !== undefined) checks.push(await (await import("./check-refresh.ts")).checkRefresh(renewals, context));
  }
  return checks;
}

/**
 * Prints the notices to stderr, except for those whose fact is in the report: that cached values are used, and that ESC
 * could not be read completely, if the report states this as the cause of an unmet contract.
 */
function printOtherNotices(start: Start, unmet: UnmetReport | undefined, settings: Settings, context: Context): void {
  const notices = start.verdict.notices.filter(
    ({ kind }) => kind !== "esc-kept" && (kind !== "esc-incomplete" || unmet?.cause === undefined),
  );
  printNotices(context, { quiet: true, isReport: !settings.quiet }, notices);
}

/**
 * Reads the age of each ESC environment and the approvals that it needs. Leaves out what the launcher's token may not see.
 */
async function readEnvironmentDetails(
  esc: EscStatus,
  settings: Settings,
  context: Context,
): Promise<[readonly EnvironmentAge[], readonly EnvironmentGates[]]> {
  // With cached values, ESC must not be contacted (--offline) or has not answered.
  if (esc.kind !== "read" || esc.cacheUse !== undefined) return [[], []];
  const progress = await createProgress(context, settings);
  const requests = [readEnvironmentAges(esc.settings, progress), readEnvironmentGates(esc.settings, progress)] as const;
  return Promise.all(requests).finally(progress.done);
}
