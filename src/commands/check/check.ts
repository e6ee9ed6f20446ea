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
import { formatReportJson } from "./check-json.ts";
import { INDENTED_WIDTH } from "./check-summary.ts";
import { formatReport } from "./check-text.ts";
import type { ExtraCheck } from "./extra-check.ts";
import { findTrackedEnvFiles } from "./tracked-env-files.ts";

/** Returns 0 if the contract is met and no further check fails, else 1. @throws SophiaError (125) */
export const check: Command = async ({ options, positionals }, context) => {
  if (options["code"] === true) {
    refuseBeside("--code", ["against", "overdue", "live", "broker"], options);
    const { checkCode } = await import("./code/check-code.ts");
    return checkCode(positionals[0], options, context);
  }
  refuseEscChecksOffline(options, context);
  const environmentNames = options["against"];
  if (typeof environmentNames === "string") {
    refuseBeside("--against", ["overdue", "live"], options);
    const { compare } = await import("../compare/compare.ts");
    return compare(environmentNames, options, context);
  }
  refuseStrictAlone(options);
  const settings = resolveSettings(options, context.environment);
  if (settings.broker || Object.keys(options).some((name) => name.startsWith("broker-"))) {
    (await import("../parts/broker/broker-options.ts")).refuseBrokerOptions(settings, options);
  }
  if (settings.verbose) printLines(context, [`version ${versionLine().trimEnd()}`]);
  return checkStart(settings, options, context);
};

/**
 * Refuses options that cannot be used together with another one.
 *
 * @param option the option that the user has given, such as `--code`
 * @param excludedNames the names of the options that it excludes, such as `live`
 * @throws SophiaError (usage, 125) if the user has given one of them, too
 */
function refuseBeside(option: string, excludedNames: readonly string[], options: Values): void {
  const conflictingName = excludedNames.find((name) => (options[name] ?? false) !== false);
  if (conflictingName !== undefined) throw conflictError(option, `--${conflictingName}`);
}

/** @throws SophiaError (usage, 125) if a check needs ESC, but `--offline` forbids to contact it */
function refuseEscChecksOffline(options: Values, { environment }: Context): void {
  const optionWithEsc = findOptionWithEsc(options);
  if (optionWithEsc !== undefined && resolveSettings(options, environment).offline) {
    throw conflictError(optionWithEsc, "--offline (SOPHIA_OFFLINE)");
  }
}

/** Returns the option whose check cannot do without ESC; undefined if the user has given none. */
function findOptionWithEsc(options: Values): string | undefined {
  if (typeof options["against"] === "string") return "--against";
  return options["overdue"] === true ? "--overdue" : undefined;
}

/** @throws SophiaError (usage, 125) for `--strict` without a check that it could make stricter */
function refuseStrictAlone(options: Values): void {
  if (options["strict"] !== true || options["live"] === true) return;
  throw usageError(
    "--strict needs --against, --live or --code",
    "add --against ENV,ENV, --live or --code, or leave --strict out",
  );
}

/** Checks the values that a start would have, and prints the report. @returns the exit status */
async function checkStart(settings: Settings, options: Values, context: Context): Promise<number> {
  const start = await resolveCommandStart(settings, context);
  const report = createReport(start);
  const [trackedFiles, [environmentAges, environmentGates]] = await Promise.all([
    findTrackedEnvFiles(settings, start.files.contract, context),
    readEnvironmentDetails(start.store.esc, settings, context),
  ]);
  const extraChecks = await runExtraChecks(start, settings, options, context);
  const extras = { trackedFiles, environmentAges, environmentGates, extraChecks };
  if (options["json"] === true) {
    printUnreportedNotices(start, undefined, settings, context);
    context.out(formatReportJson(report, extras));
  } else {
    const unmet = report.met ? undefined : await explainUnmetStart(start, settings, context);
    printUnreportedNotices(start, unmet, settings, context);
    printReport(context, formatReport(report, unmet, { ...extras, similarNames: describeSimilarNames(start) }));
  }
  const hasPassed = report.met && extraChecks.every(({ failures }) => failures.length === 0);
  return hasPassed ? ExitStatus.ok : ExitStatus.unmet;
}

async function explainUnmetStart(start: Start, settings: Settings, context: Context): Promise<UnmetReport> {
  const unreadFiles = await describeUnreadFiles(start, settings, context);
  return explainUnmet(start, INDENTED_WIDTH, chooseSetCommandInput(context), unreadFiles);
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
  // The contract decides about an option that the user has not set.
  const { refresh, awsRefresh } = start.files.contract;
  if ((settings.refresh ?? refresh) === true || (settings.awsRefresh ?? awsRefresh) === true) {
    const { reportRefresh } = await import("../parts/refresh/refresh-report.ts");
    const renewals = reportRefresh(start, settings);
    if (renewals !== undefined) checks.push(await (await import("./check-refresh.ts")).checkRefresh(renewals, context));
  }
  return checks;
}

/**
 * Prints the notices that the report does not contain to the standard error. The report already says that cached values are
 * used. It also says that ESC could not be read completely, if this is the cause of an unmet contract.
 */
function printUnreportedNotices(
  start: Start,
  unmet: UnmetReport | undefined,
  settings: Settings,
  context: Context,
): void {
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
