/**
 * The command `sophia-run request`. An ESC environment may require the approval of another user before it opens. This
 * command files the request, and with `--wait` waits until the environment opens.
 */
import { resolveSettings, parseDuration, type Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { fileOpenRequests, findPendingRequests, type OpenRequest, submitOpenRequest } from "../../esc/api/approvals.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import { pulumiTokenRemedy } from "../../esc/settings/pulumi-token.ts";
import { holdsToken } from "../../esc/settings/secret.ts";
import { printReport } from "../../output/colour.ts";
import { printNotices } from "../../output/print-notices.ts";
import { notAllowedError, collectConsentFacts } from "../../access/consent-words.ts";
import { findEscAccess } from "../parts/command-access.ts";
import type { Command } from "../command.ts";
import { usageError } from "../parts/usage-errors.ts";
import { askEachTargetEnvironment, type EscTarget, parseInOption } from "../parts/writing/esc-target.ts";
import { createApprovalLines, createChangeRequestCommand, addErrorDetails } from "../parts/writing/write-change.ts";
import { type RequestedEnvironment, waitUntilOpen } from "./wait.ts";

const DEFAULT_WAIT_LIMIT_MS = 3_600_000;
/** The limit on `--reason`, which the user who approves must read. */
const MAX_REASON_CHARACTERS = 1000;

/** Files the requests. Returns 0, or with `--wait` the status of `waitUntilOpen`. @throws SophiaError (125) */
export const request: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const waitLimit = options["wait-limit"];
  const waitLimitMs = typeof waitLimit === "string" ? parseDuration(waitLimit, "--wait-limit") : DEFAULT_WAIT_LIMIT_MS;
  const isWaiting = options["wait"] === true;
  if (waitLimit !== undefined && !isWaiting) {
    throw usageError("--wait-limit needs --wait", "add --wait, or leave --wait-limit out");
  }
  const reason = requireReason(settings);
  const target = await findLauncherTarget(options["in"], settings, context);
  const requestedEnvironments = await requestApprovals(target, reason, isWaiting);
  for (const environment of requestedEnvironments) printReport(context, describeRequestedEnvironment(environment));
  const closedEnvironments = requestedEnvironments.filter(({ requests }) => requests.length > 0);
  if (closedEnvironments.length === 0 || !isWaiting) return ExitStatus.ok;
  return waitUntilOpen(closedEnvironments, waitLimitMs, target);
};

/**
 * Requests the approvals that the environments need.
 *
 * @param reusesPendingRequests true if no request must be filed for an environment that has a pending one
 */
function requestApprovals(
  target: EscTarget,
  reason: string,
  reusesPendingRequests: boolean,
): Promise<readonly RequestedEnvironment[]> {
  /** The requests that ESC has already. If a later step fails, the message must name them. */
  const requestStates = new Map<OpenRequest, "filed" | "submitted">();
  return askEachTargetEnvironment(target, async (name, connection): Promise<RequestedEnvironment> => {
    const pendingRequests = reusesPendingRequests ? await findPendingRequests(name, connection) : [];
    if (pendingRequests.length > 0) return { name, requests: pendingRequests, isPending: true };
    const requests = await fileOpenRequests(name, connection);
    for (const openRequest of requests) requestStates.set(openRequest, "filed");
    for (const openRequest of requests) {
      await submitOpenRequest(openRequest, reason, connection);
      requestStates.set(openRequest, "submitted");
    }
    return { name, requests };
  }).catch((error: unknown) => {
    throw addErrorDetails(error, ...describeRequestStates(requestStates));
  });
}

/** Describes whether an environment opens, and how another user approves the requests for it. */
function describeRequestedEnvironment({ name, requests, isPending = false }: RequestedEnvironment): readonly Line[] {
  if (requests.length === 0) return [`✅ ${formatName(name)} opens without an approval; nothing was requested`];
  const lines = requests.flatMap((openRequest) => [
    { text: `   ${printable(openRequest.environment ?? formatName(name))}:`, neverWraps: true },
    ...createApprovalLines(openRequest, "then it opens"),
  ]);
  const reason = isPending
    ? "an earlier request is pending; no other was filed"
    : "it requires the approval of another user";
  return [`⏸️ ${formatName(name)} does not open yet: ${reason}.`, ...lines];
}

/** Names the requests that were filed before a failure, because the user must close or approve them. */
function describeRequestStates(states: ReadonlyMap<OpenRequest, "filed" | "submitted">): readonly string[] {
  return Array.from(states).flatMap(([openRequest, state]) => {
    const place = openRequest.environment === undefined ? "" : ` for ${printable(openRequest.environment)}`;
    return state === "submitted"
      ? [
          `a request${place} was submitted before that, and stays:`,
          `  ${createChangeRequestCommand("get", openRequest)}`,
        ]
      : [
          `a request${place} was filed and perhaps not submitted; to close it before you ask again:`,
          `  ${createChangeRequestCommand("close", openRequest)}`,
        ];
  });
}

/**
 * Returns the reason.
 *
 * @throws SophiaError (usage, 125), without the reason, if it is missing, too long or contains a token
 */
function requireReason({ reason }: Settings): string {
  if (reason === undefined || reason.trim() === "") {
    throw usageError("request needs --reason TEXT", "write the reason for the user who approves");
  }
  if (Array.from(reason).length > MAX_REASON_CHARACTERS) {
    throw usageError(`--reason is longer than ${MAX_REASON_CHARACTERS} characters`, "shorten it");
  }
  if (holdsToken(reason)) throw usageError("--reason contains a token", "remove it");
  return reason;
}

/** Returns the access by which the launcher opens the environment. @throws SophiaError (125) if there is none */
async function findLauncherTarget(inEnvironment: unknown, settings: Settings, context: Context): Promise<EscTarget> {
  if (settings.fake !== undefined || settings.offline) {
    throw usageError("request needs ESC, but SOPHIA_FAKE or SOPHIA_OFFLINE is set", "unset them");
  }
  const contract = await loadContract(settings, context);
  const { access, notices, dotenv } = await findEscAccess(settings, context, parseInOption(inEnvironment), {
    contract,
  });
  printNotices(context, settings, [
    ...dotenv.notices,
    ...notices.filter(({ kind }) => kind !== "environment-not-allowed"),
  ]);
  if (access.kind === "unconsented") throw notAllowedError(collectConsentFacts(access, contract));
  if (access.kind === "on") return { esc: access.settings, settings, context, contract };
  throw new SophiaError({
    code: "esc-settings",
    message:
      access.kind === "incomplete"
        ? `${access.present} is set, but ${access.missing} is not`
        : "neither ESC_ENV nor ESC_TOKEN is set",
    details: pulumiTokenRemedy(access.kind === "incomplete" ? access.missing : "ESC_TOKEN", context.environment),
    hint: "set ESC_ENV to the environment, or name it with --in, and ESC_TOKEN to the token that opens it",
  });
}
