/**
 * Prepares the renewal of the credentials and files that the program gets from Pulumi ESC (`--refresh`, `--aws-refresh`).
 * run-broker.ts calls `prepareRefresh` before it opens the server, which the renewal shares with the broker, and `serve`
 * afterwards:
 *
 *     const prepared = await prepareRefresh(scope, checkedStart);       // refuses what cannot be renewed
 *     const server = prepared?.needsServer ? await openListener(…) : undefined;
 *     const refresh = await prepared?.serve(server, { record, maskInAuditLog });  // begins to renew
 */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Secret } from "../../../masking/masking-model.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Start } from "../../../resolve/start.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import type { BrokerListener } from "../broker/open-listener.ts";
import { createDelivery } from "../delivery.ts";
import { refusePipedToken } from "../piped-token.ts";
import { describeEmptyPlan, isPlanned, planRefresh } from "./refresh-plan.ts";
import { REFRESH_OPTIONS, type RefreshScope } from "./refresh-scope.ts";
import { planOrRefuse, type Refresh, serveRefresh } from "./refresh.ts";
import { needsServer } from "./refreshed-variables.ts";
import type { Renewals } from "./renewer.ts";
import { createSteadyClock } from "./steady-clock.ts";

export interface PreparedRefresh {
  /** The credentials and files of the first program, for the audit log. */
  readonly renewals: Renewals;
  /** True if the program's SDKs ask this process for credentials, or those of a restarted program may. */
  readonly needsServer: boolean;
  /**
   * Serves the credentials, and begins to renew them. If that fails, this closes the server.
   *
   * @throws SophiaError (broker, secret-files; 125)
   */
  readonly serve: (
    server: BrokerListener | undefined,
    auditLog: {
      readonly record: (renewals: Renewals) => void;
      readonly maskInAuditLog: (secrets: readonly Secret[]) => void;
    },
  ) => Promise<Refresh>;
}

/**
 * Returns undefined if ESC has nothing to renew, after a warning with the reason if the user gave the option.
 *
 * @throws SophiaError (aws, refresh, settings, exec-unavailable; 125)
 */
export async function prepareRefresh(
  scope: RefreshScope,
  {
    settings,
    flags,
    start,
    context,
  }: { readonly settings: Settings; readonly flags: Values; readonly start: Start; readonly context: Context },
): Promise<PreparedRefresh | undefined> {
  const { option } = scope;
  const { name: optionName, failure } = REFRESH_OPTIONS[option];
  // Lifetimes are counted from the start of this process. ESC was opened later, so no credentials are taken for younger than they
  // are.
  const readAt = Date.now() - performance.now();
  const clock = createSteadyClock();
  const plan = planOrRefuse(planRefresh(scope, start, readAt));
  for (const lines of plan.warnings) printLines(context, lines);
  if (!isPlanned(plan)) {
    if (flags[optionName] === true)
      printLines(context, [`warning: ${option} has no effect: ${describeEmptyPlan(plan, start)}`]);
    return undefined;
  }
  refusePipedToken(option, start, context);
  if (settings.mode === "exec") {
    throw (await import("../../../launch/exec/obstacles.ts")).execUnavailable(failure);
  }
  return {
    renewals: { start, credentials: plan.credentials, files: plan.files.map(({ name }) => name) },
    // After a restart the program may have credentials of another cloud.
    needsServer: needsServer(plan) || settings.watch,
    serve: async (server, auditLog) => {
      const { environment } = createDelivery(start);
      const service = { server, isAlone: !settings.broker, start, environment, clock, ...auditLog };
      try {
        return await serveRefresh(plan, service, context);
      } catch (error) {
        server?.close();
        throw error instanceof SophiaError ? error : createListenError(option, error);
      }
    },
  };
}

function createListenError(option: string, error: unknown): SophiaError {
  return new SophiaError({
    code: "broker",
    message: `${option} cannot accept connections on 127.0.0.1 (${systemErrorCode(error) ?? "UNKNOWN"})`,
    hint: `check the loopback interface and the limits of this process (ulimit -n), or leave ${option} out`,
  });
}
