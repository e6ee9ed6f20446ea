/** `check --live`: asks the services themselves whether the values work. */
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { count } from "../../../core/text.ts";
import { callersNetwork } from "../../../esc/settings/access.ts";
import { parseBackend } from "../../../esc/settings/backend.ts";
import type { NetworkSettings } from "../../../esc/settings/network.ts";
import { Variables } from "../../../esc/settings/variables.ts";
import type { Assessment } from "../../../resolve/assessment.ts";
import { sayError } from "../../../output/stderr.ts";
import { ask, canAsk } from "../../confirm.ts";
import type { Part } from "../text.ts";
import { askByHttp } from "./http.ts";
import { type Outcome, outcomeWords, unasked, unclear, unsent } from "./outcome.ts";
import { type Planned, planProbes } from "./plan.ts";
import { askPostgres } from "./postgres.ts";

const LIMIT_MS = 5000;

/** Asks all services at once. @param isConfirmed values may go to hosts that a file of the repository names */
export async function checkLive(
  assessment: Assessment,
  settings: Settings,
  { isConfirmed, strict }: { readonly isConfirmed: boolean; readonly strict: boolean },
  context: Context,
): Promise<Part> {
  const backend = new Variables(context.environment, []).findInProcess("PULUMI_BACKEND_URL");
  const pulumi = backend === undefined ? undefined : parseBackend(backend, settings.insecureHttp);
  const planned = planProbes(assessment, pulumi);
  const allowed = isConfirmed || (await isAllowed(planned, context));
  const network = callersNetwork(context.environment);
  const results = await Promise.all(
    planned.map(async (one) => ({
      ...one,
      outcome:
        one.consent === undefined || allowed
          ? await outcomeOf(one, network, context)
          : unasked(`${one.consent}; --yes allows it`),
    })),
  );
  const outcomes = results.map(({ outcome }) => outcome);
  const lines = results.map(
    ({ label, outcome, where }) => `${MARKS[outcome.kind]} ${label}: ${outcomeWords(outcome, where)}`,
  );
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    ...summary(outcomes, strict),
    fields: {
      live: results.map(({ name, where, outcome }) => ({
        name,
        where,
        outcome: outcome.kind,
        ...(outcome.kind === "rejected" ? { code: outcome.code } : {}),
        ...(outcome.kind === "unclear" ? outcome.why : {}),
      })),
    },
  };
}

function summary(outcomes: readonly Outcome[], strict: boolean): Pick<Part, "failures" | "doubts"> {
  const rejections = outcomes.filter(({ kind }) => kind === "rejected").length;
  const doubts = outcomes.flatMap((one) => (one.kind === "unclear" ? [one.why.kind] : []));
  const bugs = doubts.filter((kind) => kind === "internal").length;
  const notAsked = doubts.filter((kind) => kind === "unasked").length;
  const notTried = doubts.length - bugs - notAsked;
  const services = rejections === 1 ? "its service" : "their services";
  const words = [
    ...(notTried > 0 ? [`${count(notTried, "value")} could not be tried`] : []),
    ...(notAsked > 0 ? [`${count(notAsked, "value")} not asked about, see Live Check`] : []),
  ];
  return {
    failures: [
      ...(rejections > 0 ? [`${count(rejections, "value")} rejected by ${services}`] : []),
      ...(bugs > 0 ? [`${count(bugs, "probe")} ended with an internal error`] : []),
      ...(strict ? words.map((one) => `${one} (--strict)`) : []),
    ],
    doubts: strict ? [] : words,
  };
}

const MARKS: Readonly<Record<Outcome["kind"], string>> = { accepted: "✅", rejected: "❌", unclear: "⚠️" };

/** A bug in one probe does not affect the results of others. */
async function outcomeOf({ ask: request }: Planned, network: NetworkSettings, context: Context): Promise<Outcome> {
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
    sayError(context, error);
    return unclear("internal", error instanceof Error ? error.constructor.name : typeof error);
  }
}

/** Asks at a terminal if values may go to hosts that a file of the repository names. */
async function isAllowed(planned: readonly Planned[], context: Context): Promise<boolean> {
  const doubtful = planned.filter((one) => one.consent !== undefined && one.ask.kind !== "none");
  if (doubtful.length === 0 || !canAsk(context)) return false;
  const lines = doubtful.map(({ name, consent = "" }) => `  ${name}: ${consent}`);
  return ask(["Files of this folder decide where these values go:", ...lines, "Send them?"], context);
}
