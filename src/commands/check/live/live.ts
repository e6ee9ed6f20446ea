/** `check --live`: asks the services themselves whether the values work. */
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { count } from "../../../core/text.ts";
import { callersNetwork } from "../../../esc/settings/access.ts";
import { parseBackend } from "../../../esc/settings/backend.ts";
import type { NetworkSettings } from "../../../esc/settings/network.ts";
import { Variables } from "../../../esc/settings/variables.ts";
import type { Assessment } from "../../../resolve/assessment.ts";
import { ask, canAsk } from "../../confirm.ts";
import type { Part } from "../part.ts";
import { askByHttp } from "./http.ts";
import { type Outcome, outcomeWords, unsent } from "./outcome.ts";
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
          ? await outcomeOf(one, network)
          : unsent(`${one.consent}; --yes allows it`),
    })),
  );
  const bad = results.filter(({ outcome }) => outcome.kind === "rejected");
  const doubtful = results.filter(({ outcome }) => outcome.kind === "unclear");
  const lines = results.map(
    ({ label, outcome, where }) => `${mark(outcome)} ${label}: ${outcomeWords(outcome, where)}`,
  );
  return {
    section: ["--- Live Check ---", ...(lines.length === 0 ? ["➖ No variable that is set has a probe"] : lines)],
    failures: [
      ...(bad.length === 0
        ? []
        : [`${count(bad.length, "value")} rejected by ${bad.length === 1 ? "its service" : "their services"}`]),
      ...(strict && doubtful.length > 0 ? [`${count(doubtful.length, "value")} could not be tried (--strict)`] : []),
    ],
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

function mark({ kind }: Outcome): string {
  return kind === "accepted" ? "✅" : kind === "rejected" ? "❌" : "⚠️";
}

async function outcomeOf({ ask: request }: Planned, network: NetworkSettings): Promise<Outcome> {
  switch (request.kind) {
    case "http":
      return askByHttp(request, network, LIMIT_MS);
    case "postgresql":
      return askPostgres(request.url, network, LIMIT_MS);
    case "none":
      return unsent(request.reason);
  }
}

/** Asks at a terminal whether values may go where a file of the repository says. */
async function isAllowed(planned: readonly Planned[], context: Context): Promise<boolean> {
  const doubtful = planned.filter((one) => one.consent !== undefined && one.ask.kind !== "none");
  if (doubtful.length === 0 || !canAsk(context)) return false;
  const lines = doubtful.map(({ name, consent = "" }) => `  ${name}: ${consent}`);
  return ask(["Files of this folder decide where these values go:", ...lines, "Send them?"], context);
}
