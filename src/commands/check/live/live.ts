/**
 * `check --live`: tests values by sending each to its own service. `probe-plan.ts` decides which request tests a value,
 * `http-probe.ts` and `postgres.ts` send it, and this file asks the user first where files of the repository name the hosts.
 */
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { count } from "../../../core/text.ts";
import { callersNetwork } from "../../../esc/settings/access-settings.ts";
import { parseBackend } from "../../../esc/settings/backend.ts";
import { VariableLookup } from "../../../esc/settings/variables.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import type { Start } from "../../../resolve/start.ts";
import { printError } from "../../../output/stderr.ts";
import { ask, canAsk } from "../../parts/confirm.ts";
import type { ExtraCheck } from "../extra-check.ts";
import { probeByHttp } from "./http-probe.ts";
import { probePostgres } from "./postgres.ts";
import { planProbes, type ProbePlan } from "./probe-plan.ts";
import { describeResult, type ProbeResult, unclear, unsent } from "./probe-result.ts";

/** Applies to each probe. They run in parallel. */
const PROBE_LIMIT_MS = 5000;

/**
 * Runs the probe of each variable that is set. An unclear result is a warning, and a failure only with `strict`.
 *
 * @param isConfirmed values may be sent to hosts that files of the repository name (`--yes`)
 */
export async function checkLive(
  start: Start,
  settings: Settings,
  { isConfirmed, strict }: { readonly isConfirmed: boolean; readonly strict: boolean },
  context: Context,
): Promise<ExtraCheck> {
  const backendText = new VariableLookup(context.environment, []).findInProcess("PULUMI_BACKEND_URL");
  const backend = backendText === undefined ? undefined : parseBackend(backendText, settings.insecureHttp);
  const plans = planProbes(start, backend);
  const isAllowed = isConfirmed || (await askForConsent(plans, context));
  const network = callersNetwork(context.environment);
  const probes = await Promise.all(
    plans.map(async (plan) => ({ ...plan, result: await runIfAllowed(plan, isAllowed, network, context) })),
  );
  const lines = probes.map(
    ({ label, result, where }) => `${MARKS[result.outcome]} ${label}: ${describeResult(result, where)}`,
  );
  const results = probes.map(({ result }) => result);
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    ...summarize(results, strict),
    fields: { live: probes.map(({ name, where, result }) => ({ name, where, ...result })) },
  };
}

const MARKS: Readonly<Record<ProbeResult["outcome"], string>> = { accepted: "✅", rejected: "❌", unclear: "⚠️" };

function summarize(results: readonly ProbeResult[], strict: boolean): Pick<ExtraCheck, "failures" | "warnings"> {
  const rejections = results.filter(({ outcome }) => outcome === "rejected").length;
  const unclearKinds = results.flatMap((result) => (result.outcome === "unclear" ? [result.kind] : []));
  const bugs = unclearKinds.filter((kind) => kind === "internal").length;
  const notAllowed = unclearKinds.filter((kind) => kind === "unasked").length;
  const notTested = unclearKinds.length - bugs - notAllowed;
  const services = rejections === 1 ? "its service" : "their services";
  const warnings = [
    ...(notTested > 0 ? [`${count(notTested, "value")} could not be tested`] : []),
    ...(notAllowed > 0 ? [`${count(notAllowed, "value")} not sent, see Live Check`] : []),
  ];
  return {
    failures: [
      ...(rejections > 0 ? [`${count(rejections, "value")} rejected by ${services}`] : []),
      ...(bugs > 0 ? [`${count(bugs, "probe")} ended with an internal error`] : []),
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
  if (plan.consent === undefined || isAllowed) return runProbe(plan, network, context);
  return unsent(`${plan.consent}; --yes allows it`, "unasked");
}

/** A bug in one probe is reported, and does not keep the others from running. */
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

/** Asks the user once for all values whose hosts are named by files. Returns false if the user cannot be asked. */
async function askForConsent(plans: readonly ProbePlan[], context: Context): Promise<boolean> {
  const unconsented = plans.filter(({ consent, request }) => consent !== undefined && request.kind !== "none");
  if (unconsented.length === 0 || !canAsk(context)) return false;
  const lines = unconsented.map(({ name, consent = "" }) => `  ${name}: ${consent}`);
  return ask(["Files of this folder name the hosts for these values:", ...lines, "Send them?"], context);
}
