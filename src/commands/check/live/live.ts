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
import type { ExtraCheck } from "../check-text.ts";
import { askByHttp } from "./http-probe.ts";
import { type Outcome, outcomeWords, unclear, unsent } from "./probe-outcome.ts";
import { type Planned, planProbes } from "./probe-plan.ts";
import { askPostgres } from "./postgres.ts";

const LIMIT_MS = 5000;

/** `check --live`: sends values to their services. @param isConfirmed hosts may be named by files of the repository */
export async function checkLive(
  start: Start,
  settings: Settings,
  { isConfirmed, strict }: { readonly isConfirmed: boolean; readonly strict: boolean },
  context: Context,
): Promise<ExtraCheck> {
  const backend = new VariableLookup(context.environment, []).findInProcess("PULUMI_BACKEND_URL");
  const pulumi = backend === undefined ? undefined : parseBackend(backend, settings.insecureHttp);
  const planned = planProbes(start, pulumi);
  const allowed = isConfirmed || (await isAllowed(planned, context));
  const network = callersNetwork(context.environment);
  const probes = await Promise.all(
    planned.map(async (probe) => ({
      ...probe,
      result:
        probe.consent === undefined || allowed
          ? await runProbe(probe, network, context)
          : unsent(`${probe.consent}; --yes allows it`, "unasked"),
    })),
  );
  const lines = probes.map(
    ({ label, result, where }) => `${MARKS[result.outcome]} ${label}: ${outcomeWords(result, where)}`,
  );
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    ...summary(
      probes.map(({ result }) => result),
      strict,
    ),
    fields: { live: probes.map(({ name, where, result }) => ({ name, where, ...result })) },
  };
}

function summary(results: readonly Outcome[], strict: boolean): Pick<ExtraCheck, "failures" | "warnings"> {
  const rejections = results.filter(({ outcome }) => outcome === "rejected").length;
  const reasons = results.flatMap((one) => (one.outcome === "unclear" ? [one.kind] : []));
  const bugs = reasons.filter((kind) => kind === "internal").length;
  const notAllowed = reasons.filter((kind) => kind === "unasked").length;
  const notTested = reasons.length - bugs - notAllowed;
  const services = rejections === 1 ? "its service" : "their services";
  const words = [
    ...(notTested > 0 ? [`${count(notTested, "value")} could not be tested`] : []),
    ...(notAllowed > 0 ? [`${count(notAllowed, "value")} not sent, see Live Check`] : []),
  ];
  return {
    failures: [
      ...(rejections > 0 ? [`${count(rejections, "value")} rejected by ${services}`] : []),
      ...(bugs > 0 ? [`${count(bugs, "probe")} ended with an internal error`] : []),
      ...(strict ? words.map((one) => `${one} (--strict)`) : []),
    ],
    warnings: strict ? [] : words,
  };
}

const MARKS: Readonly<Record<Outcome["outcome"], string>> = { accepted: "✅", rejected: "❌", unclear: "⚠️" };

async function runProbe({ ask: request }: Planned, network: NetworkSettings, context: Context): Promise<Outcome> {
  try {
    switch (request.kind) {
      case "http":
        return await askByHttp(request, network, LIMIT_MS);
      case "postgresql":
        return await askPostgres(request.url, network, LIMIT_MS);
      case "none":
        return unsent(request.reason);
    }
  } catch (error) {
    await printError(context, error);
    return unclear("internal", error instanceof Error ? error.constructor.name : typeof error);
  }
}

async function isAllowed(planned: readonly Planned[], context: Context): Promise<boolean> {
  const asked = planned.filter((one) => one.consent !== undefined && one.ask.kind !== "none");
  if (asked.length === 0 || !canAsk(context)) return false;
  const lines = asked.map(({ name, consent = "" }) => `  ${name}: ${consent}`);
  return ask(["Files of this folder name the hosts for these values:", ...lines, "Send them?"], context);
}
