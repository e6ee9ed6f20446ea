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

/** What one service may take, connecting included. */
const LIMIT_MS = 5000;

interface Options {
  /** Values go where a file of the repository says, without a question. */
  readonly isConfirmed: boolean;
  /** What nobody can tell fails, too. */
  readonly strict: boolean;
}

/** All at once; no value is sent twice, and none where the caller has not said so. */
export async function checkLive(
  assessment: Assessment,
  settings: Settings,
  { isConfirmed, strict }: Options,
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
  const lines = results.map(
    ({ label, outcome, where }) => `${mark(outcome)} ${label}: ${outcomeWords(outcome, where)}`,
  );
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    ...summary(
      results.map(({ outcome }) => outcome),
      strict,
    ),
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

/** What the outcomes mean for the check. */
function summary(outcomes: readonly Outcome[], strict: boolean): Pick<Part, "failures" | "doubts"> {
  const rejections = outcomes.filter(({ kind }) => kind === "rejected").length;
  const doubts = outcomes.flatMap((one) => (one.kind === "unclear" ? [one.why.kind] : []));
  const bugs = doubts.filter((kind) => kind === "internal").length;
  const notAsked = doubts.filter((kind) => kind === "unasked").length;
  const notTried = doubts.length - bugs - notAsked;
  const words = [
    ...(notTried > 0 ? [`${count(notTried, "value")} could not be tried`] : []),
    ...(notAsked > 0 ? [`${count(notAsked, "value")} not asked about, see Live Check`] : []),
  ];
  return {
    failures: [
      ...(rejections > 0
        ? [`${count(rejections, "value")} rejected by ${rejections === 1 ? "its service" : "their services"}`]
        : []),
      ...(bugs > 0 ? [`${count(bugs, "probe")} ended with an internal error`] : []),
      ...(strict ? words.map((one) => `${one} (--strict)`) : []),
    ],
    doubts: strict ? [] : words,
  };
}

function mark({ kind }: Outcome): string {
  return kind === "accepted" ? "✅" : kind === "rejected" ? "❌" : "⚠️";
}

/** A bug in one probe takes no other's result with it. */
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

/** Asks at a terminal whether values may go where a file of the repository says. */
async function isAllowed(planned: readonly Planned[], context: Context): Promise<boolean> {
  const doubtful = planned.filter((one) => one.consent !== undefined && one.ask.kind !== "none");
  if (doubtful.length === 0 || !canAsk(context)) return false;
  const lines = doubtful.map(({ name, consent = "" }) => `  ${name}: ${consent}`);
  return ask(["Files of this folder decide where these values go:", ...lines, "Send them?"], context);
}
