/**
 * `check --live`: tests values, such as API keys, by sending each to its own service. probe-plan.ts decides which request
 * tests a value, and http-probe.ts and postgres.ts send it. If files of the repository name a host, this file asks the user
 * first.
 */
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { count } from "../../../core/text.ts";
import { readCallerNetwork } from "../../../esc/settings/access-settings.ts";
import { parseBackend } from "../../../esc/settings/backend.ts";
import { VariableLookup } from "../../../esc/settings/variables.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import type { Start } from "../../../resolve/start.ts";
import { printError } from "../../../output/stderr.ts";
import { askYesOrNo, canAskUser } from "../../parts/confirm.ts";
import type { ExtraCheck } from "../extra-check.ts";
import { probeByHttp } from "./http-probe.ts";
import { probePostgres } from "./postgres.ts";
import { planProbes, type ProbePlan } from "./probe-plan.ts";
import { describeResult, type ProbeResult, unclear, unsent } from "./probe-result.ts";

/** The time limit of each probe. All probes run in parallel. */
const PROBE_LIMIT_MS = 5000;

interface LiveOptions {
  /** True with `--yes`: values may be sent to hosts that files of the repository name. */
  readonly isConfirmed: boolean;
  /** True with `--strict`: a value that could not be tested makes the check fail. */
  readonly strict: boolean;
}

/** Runs the probe of each variable that is set, and summarizes the results. */
export async function checkLive(
  start: Start,
  settings: Settings,
  { isConfirmed, strict }: LiveOptions,
  context: Context,
): Promise<ExtraCheck> {
  const backendText = new VariableLookup(context.environment, []).findInProcess("PULUMI_BACKEND_URL");
  const backend = backendText === undefined ? undefined : parseBackend(backendText, settings.insecureHttp);
  const plans = planProbes(start, backend);
  const isAllowed = isConfirmed || (await askForConsent(plans, context));
  const network = readCallerNetwork(context.environment);
  const probes = await Promise.all(
    plans.map(async (plan) => ({ ...plan, result: await runIfAllowed(plan, isAllowed, network, context) })),
  );
  const lines = probes.map(
    ({ label, result, destination }) => `${MARKS[result.outcome]} ${label}: ${describeResult(result, destination)}`,
  );
  const results = probes.map(({ result }) => result);
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    ...summarize(results, strict),
    fields: { live: probes.map(({ name, destination, result }) => ({ name, where: destination, ...result })) },
  };
}

const MARKS: Readonly<Record<ProbeResult["outcome"], string>> = { accepted: "✅", rejected: "❌", unclear: "⚠️" };

/** Counts the results. A value that could not be tested is a warning, or with `strict` a failure. */
function summarize(results: readonly ProbeResult[], strict: boolean): Pick<ExtraCheck, "failures" | "warnings"> {
  const rejectedCount = results.filter(({ outcome }) => outcome === "rejected").length;
  const unclearKinds = results.flatMap((result) => (result.outcome === "unclear" ? [result.kind] : []));
  const bugCount = unclearKinds.filter((kind) => kind === "internal").length;
  const refusedCount = unclearKinds.filter((kind) => kind === "unasked").length;
  const untestedCount = unclearKinds.length - bugCount - refusedCount;
  const services = rejectedCount === 1 ? "its service" : "their services";
  const warnings = [
    ...(untestedCount > 0 ? [`${count(untestedCount, "value")} could not be tested`] : []),
    ...(refusedCount > 0 ? [`${count(refusedCount, "value")} not sent, see Live Check`] : []),
  ];
  return {
    failures: [
      ...(rejectedCount > 0 ? [`${count(rejectedCount, "value")} rejected by ${services}`] : []),
      ...(bugCount > 0 ? [`${count(bugCount, "probe")} ended with an internal error`] : []),
      ...(strict ? warnings.map((warning) => `${warning} (--strict)`) : []),
    ],
    warnings: strict ? [] : warnings,
  };
}

async function runIfAllowed(
  plan: ProbePlan,
  isAllowed: boolean,
  network: NetworkSettings,
  context: Context,
): Promise<ProbeResult> {
  if (plan.consentReason === undefined || isAllowed) return runProbe(plan, network, context);
  return unsent(`${plan.consentReason}; --yes allows it`, "unasked");
}

/** Runs one probe. An error that nothing expects is printed as a bug, and does not keep the other probes from running. */
async function runProbe({ request }: ProbePlan, network: NetworkSettings, context: Context): Promise<ProbeResult> {
  try {
    switch (request.kind) {
      case "http":
        return await probeByHttp(request, network, PROBE_LIMIT_MS);
      case "postgresql":
        return await probePostgres(request.url, network, PROBE_LIMIT_MS);
      case "none":
        return unsent(request.reason);
    }
  } catch (error) {
    await printError(context, error);
    return unclear("internal", error instanceof Error ? error.constructor.name : typeof error);
  }
}

/**
 * Asks the user once about all values whose hosts are named by files. Returns false if there is no such value, or no
 * terminal.
 */
async function askForConsent(plans: readonly ProbePlan[], context: Context): Promise<boolean> {
  const unconsented = plans.filter(
    ({ consentReason, request }) => consentReason !== undefined && request.kind !== "none",
  );
  if (unconsented.length === 0 || !canAskUser(context)) return false;
  const lines = unconsented.map(({ name, consentReason = "" }) => `  ${name}: ${consentReason}`);
  return askYesOrNo(["Files of this folder name the hosts for these values:", ...lines, "Send them?"], context);
}
