/**
 * Waits for `sophia-run request --wait` until environments open: asks ESC at growing intervals, and shows the remaining
 * time.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { formatDuration, enumerate } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { type OpenRequest, canOpen, statusOfRequest } from "../../esc/api/approvals.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import { type EnvironmentName, formatName, type FullName } from "../../esc/settings/environment-names.ts";
import { SILENT } from "../../esc/transport/connection.ts";
import { printReport } from "../../output/colour.ts";
import { createProgress } from "../../output/progress.ts";
import { printLines } from "../../output/stderr.ts";
import { onEndingSignal } from "../../system/ending-signals.ts";
import type { EscTarget } from "../parts/writing/esc-target.ts";

/** The polling interval: its first length, its limit, and the factor by which it grows after each poll. */
const FIRST_INTERVAL_MS = 1000;
const MAX_INTERVAL_MS = 30_000;
const INTERVAL_GROWTH = 1.5;
/** The largest random addition to an interval, as a part of it, so that several commands do not poll at the same time. */
const MAX_JITTER = 0.25;
const REQUEST_STAYS_NOTICE = "the request stays; start the same command to wait again";

/** An environment for which approval was requested. */
export interface RequestedEnvironment {
  readonly name: FullName;
  /** The requests that need an approval; none if the environment opens. */
  readonly requests: readonly OpenRequest[];
  /** True if the requests are those of an earlier run. */
  readonly isPending?: boolean;
}

/**
 * Polls until all environments open (exit status 0), a request is closed (1), or the limit is reached (3). A poll that ESC
 * does not answer is repeated like any other.
 *
 * @throws SophiaError (125) if ESC refuses the token or the environment for another reason
 */
export async function waitUntilOpen(
  requestedEnvironments: readonly RequestedEnvironment[],
  limitMs: number,
  { esc, settings, context }: EscTarget,
): Promise<number> {
  const names = enumerate(requestedEnvironments.map(({ name }) => formatName(name)));
  const progress = await createProgress(context, settings);
  const removeListeners = onEndingSignal(() => {
    progress.done();
    printLines(context, [REQUEST_STAYS_NOTICE]);
  });
  const endMs = Date.now() + limitMs;
  printLines(context, [`waiting up to ${formatDuration(limitMs / 1000)} for the approval of ${names}`]);
  try {
    for (let intervalMs = FIRST_INTERVAL_MS; ; intervalMs = Math.min(intervalMs * INTERVAL_GROWTH, MAX_INTERVAL_MS)) {
      const remainingMs = endMs - Date.now();
      if (remainingMs <= 0) {
        progress.done();
        printLines(context, [`not approved within ${formatDuration(limitMs / 1000)}`, REQUEST_STAYS_NOTICE]);
        return ExitStatus.draft;
      }
      progress.waiting(`waiting for the approval of ${names}, ${formatDuration(remainingMs / 1000)} left`);
      await wait(Math.min(intervalMs * (1 + MAX_JITTER * Math.random()), remainingMs));
      const state = await pollEnvironments(requestedEnvironments, esc);
      progress.printLine(state.kind === "waiting" ? state.why : state.kind);
      if (state.kind === "waiting") continue;
      progress.done();
      return reportDecision(state, names, context);
    }
  } finally {
    removeListeners();
    progress.done();
  }
}

/** Prints whether the environments can be opened, and returns the exit status. */
function reportDecision(
  decision: Exclude<PollResult, { readonly kind: "waiting" }>,
  names: string,
  context: Context,
): number {
  if (decision.kind === "open") {
    printReport(context, `✅ ${names} can be opened\n`);
    return ExitStatus.ok;
  }
  printLines(context, [`the request ${decision.id} was closed: ${names} cannot be opened`]);
  return ExitStatus.unmet;
}

/** The answer of one poll. `why` says what is missing. */
type PollResult =
  | { readonly kind: "open" }
  | { readonly kind: "waiting"; readonly why: string }
  | { readonly kind: "closed"; readonly id: string };

/**
 * Asks whether each environment opens. The result is `closed` if any request is closed, otherwise `waiting` if any is
 * waiting.
 */
async function pollEnvironments(
  requestedEnvironments: readonly RequestedEnvironment[],
  esc: EscSettings,
): Promise<PollResult> {
  const environments = requestedEnvironments.map(({ name }): EnvironmentName => ({ ...name, text: formatName(name) }));
  const answers = await askEsc({ ...esc, environments }, SILENT, async (name, connection): Promise<PollResult> => {
    if (await canOpen(name, connection)) return { kind: "open" };
    const requests =
      requestedEnvironments.find((environment) => formatName(environment.name) === formatName(name))?.requests ?? [];
    const states: string[] = [];
    for (const openRequest of requests) {
      const status = await statusOfRequest(openRequest, connection);
      if (status !== undefined && /^(?:closed|rejected|declined)$/i.test(status))
        return { kind: "closed", id: openRequest.id };
      states.push(status ?? "not visible to this token");
    }
    return { kind: "waiting", why: `the requests are ${enumerate(states)}` };
  });
  if (answers.kind === "unavailable") return { kind: "waiting", why: answers.failure.message };
  if (answers.kind === "refused") throw new SophiaError(answers.failure);
  const findResult = (kind: PollResult["kind"]) => answers.results.find((state) => state.kind === kind);
  return findResult("closed") ?? findResult("waiting") ?? { kind: "open" };
}
