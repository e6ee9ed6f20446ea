import type { FailureCode } from "../../core/failure-codes.ts";
import { formatDiagnostic } from "../../core/diagnostic.ts";
import type { Failure } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate, firstOf, printable } from "../../core/text.ts";
import type { EscSettings } from "../settings/access.ts";
import { describeCredential } from "../settings/credentials.ts";
import { asChange } from "./change-wording.ts";
import type { EscFault, Fault, FaultContext } from "./fault.ts";
import { needsApproval, refusal } from "./refusal.ts";
import { answerReason, BACKEND_HINT, connectReason, fileReason, tlsHint, tlsReason } from "./reasons.ts";

/** The settings by which ESC was asked. */
type Subject = Pick<EscSettings, "environments" | "namedBy" | "credential">;

/** The environment that could not be read, for a command to paste. */
function targetOf({ environments }: Subject, environment = environments.at(-1)?.text ?? ""): string {
  return shellWord(printable(environment.replace(/@.*$/, "")));
}

const MAX_DIAGNOSTICS = 20;
const NETWORK_HINT = "check the network, the proxies (HTTPS_PROXY, NO_PROXY) and PULUMI_BACKEND_URL";
const SERVICE_HINT = "try again; if it keeps failing, check the service's status";
const LATER_HINT = "try again later, or allow more time with --timeout (SOPHIA_TIMEOUT)";
const TIME_HINT = "check the network and the service's status, or allow more time with --timeout (SOPHIA_TIMEOUT)";
const PROXY_HINT = "check HTTPS_PROXY and the proxy's rules, or exempt the backend with NO_PROXY";
const PROXY_PASSWORD_HINT = "put the proxy's user name and password into its URL: http://user:password@host:port";
const REDIRECT_HINT =
  "set PULUMI_BACKEND_URL to the service's own address; a network that requires a sign-in also redirects";
const EXCHANGE_HINT = "check ESC_OIDC_ORG, and that the organization trusts the token's issuer, audience and subject";
const ID_TOKEN_HINT =
  "give the job the permission id-token: write; an ID token can be requested only while the job runs";
const ID_TOKEN_URL_HINT = "GitHub Actions sets it for jobs that have the permission id-token: write; do not change it";

/** Puts a fault into words: the reason, the remedy, and details, which the remarks follow. */
export function wordFault({ fault, context }: EscFault, subject: Subject, remarks: readonly string[]): Failure {
  const { attempts = 1, environment, step, isChange = false } = context;
  const reason = reasonFor(fault, subject, context);
  const { details = [], message, ...words } = isChange ? asChange(reason, fault, subject) : reason;
  const names = environment === undefined ? subject.environments.map(({ text }) => text) : [environment];
  // What was being done to one environment is clear from its name.
  const during = environment !== undefined || step === undefined ? "" : `${step}: `;
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  const further = [...details, ...remarks];
  const outcome = isChange ? "cannot be changed" : refusal(fault) === undefined ? "cannot be read" : "was refused";
  return {
    ...words,
    message: `ESC environment${names.length > 1 ? "s" : ""} ${printable(names.join(", "))} ${outcome}: ${during}${message}${times}`,
    ...(further.length === 0 ? {} : { details: further }),
  };
}

/** A failure whose message completes `… cannot be read: ` or `… was refused: `. */
function reasonFor(fault: Fault, subject: Subject, context: FaultContext): Failure {
  const host = "host" in fault ? fault.host : "";
  switch (fault.kind) {
    case "connect":
      return worded("esc-unreachable", connectReason(host, fault.code), NETWORK_HINT);
    case "cut": {
      const why = `${host} closed the connection before the whole answer arrived (${fault.code})`;
      return worded("esc-unreachable", why, `${SERVICE_HINT} and any proxies in between`);
    }
    case "tls": {
      const why = `no secure connection to ${host}: ${tlsReason(fault.code)}`;
      return worded("esc-tls", why, tlsHint(fault.code));
    }
    case "not-http":
      return worded("esc-answer", `${host} does not answer with HTTP`, BACKEND_HINT);
    case "bad-proxy": {
      const hint = `set ${fault.variable} to http://host:port, or exempt the backend with NO_PROXY`;
      return worded("esc-proxy", `${fault.variable} is not the URL of an HTTP proxy`, hint);
    }
    case "proxy-refused": {
      const why = `the proxy ${fault.proxy} refused the connection (HTTP ${fault.status})`;
      return worded("esc-proxy", why, fault.status === 407 ? PROXY_PASSWORD_HINT : PROXY_HINT);
    }
    case "timeout": {
      const why = `timed out after ${seconds(fault.timeoutMs)} while ${fault.phase}`;
      return worded("esc-timeout", why, TIME_HINT);
    }
    case "slow": {
      const why = `timed out after ${seconds(fault.limitMs)} while ${fault.phase}`;
      return fault.unreached ? worded("esc-unreachable", why, NETWORK_HINT) : worded("esc-timeout", why, SERVICE_HINT);
    }
    case "too-large":
      return worded(
        "esc-answer",
        `the answer of ${host} is larger than ${fault.limit / 1024 / 1024} MiB`,
        BACKEND_HINT,
      );
    case "redirect": {
      const to = fault.to === undefined ? "" : ` to ${fault.to}`;
      const why = `${host} redirects${to} (HTTP ${fault.status}); sophia-run does not follow, so that nobody else gets the token`;
      return worded("esc-redirect", why, REDIRECT_HINT);
    }
    case "answer":
      return worded("esc-answer", answerReason(host, fault.problem), BACKEND_HINT);
    case "status":
      return reasonForStatus(fault, subject, context);
    case "session":
      return worded("esc-session", `${host} ended the session before it was read, twice (HTTP 404)`, SERVICE_HINT);
    case "pause-too-long": {
      const { status, retryAfterMs, leftMs } = fault;
      const why = `${host} answered HTTP ${status} and asks for a pause of ${seconds(retryAfterMs)}, longer than the ${seconds(leftMs)} left`;
      return worded(status === 429 ? "esc-rate-limited" : "esc-server", why, LATER_HINT);
    }
    case "file": {
      const hint = `set ${fault.variable} to the path of a readable file that contains only the token`;
      return worded("esc-credential", `${fault.variable}: ${printable(fault.path)} ${fileReason(fault.code)}`, hint);
    }
    case "exchange": {
      const details = fault.message === undefined ? {} : { details: [fault.message] };
      return { ...worded("esc-credential", `${host} refused it: ${fault.error}`, EXCHANGE_HINT), ...details };
    }
    case "id-token":
      return worded("esc-credential", `${host} issued none (HTTP ${fault.status})`, ID_TOKEN_HINT);
    case "id-token-url":
      return worded("esc-credential", "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL", ID_TOKEN_URL_HINT);
    case "no-organization": {
      const hint = `name the organization: ${subject.namedBy}=organization/project/environment, or set ESC_ORG`;
      return worded("esc-not-found", `${host} has no default organization for this token`, hint);
    }
  }
}

function worded(code: FailureCode, message: string, hint: string): Failure {
  return { code, message, hint };
}

function reasonForStatus(
  fault: Extract<Fault, { kind: "status" }>,
  subject: Subject,
  { environment, isDefinition = false }: FaultContext,
): Failure {
  const { credential, namedBy } = subject;
  const { host, status, message, diagnostics, requestId, tried = [], untried } = fault;
  const details = [
    ...(tried.length > 1 ? [`tried ${enumerate(tried)}`] : []),
    ...(untried === undefined
      ? []
      : [`${untried} is not tried where ESC is required (--require-esc): write it in three parts if that is meant`]),
    ...firstOf(diagnostics.map(formatDiagnostic), MAX_DIAGNOSTICS),
    ...(message === undefined || diagnostics.length > 0 ? [] : [`${host}: ${message}`]),
    ...(requestId === undefined ? [] : [`request ID ${requestId}`]),
  ];
  const used = printable(describeCredential(credential));
  const target = targetOf(subject, environment);
  const by = (code: FailureCode, why: string, hint: string): Failure => ({
    ...worded(code, `${why} (HTTP ${status})`, hint),
    details,
  });
  if (status === 401) {
    const hint = `check ${used}: the token may be wrong, expired or revoked`;
    return by("esc-denied", `${host} does not accept the token`, hint);
  }
  if (needsApproval(fault)) {
    const asked = namedBy === "ESC_ENV" ? "" : `--in ${target} `;
    const hint = `sophia-run request ${asked}--reason TEXT asks for it; then start again`;
    return by("esc-approval", `${host} opens it only with an approval`, hint);
  }
  if (status === 403 && isDefinition) {
    const hint = `use a token that may read and write it: check ${used}`;
    return by("esc-forbidden", `${host} does not allow the token to read its definition`, hint);
  }
  if (status === 403) {
    const hint = `allow the token of ${used} to open the environment and those it imports`;
    return by("esc-forbidden", `${host} does not allow the token to open it`, hint);
  }
  if (diagnostics.length > 0) {
    const errors = diagnostics.length === 1 ? "an error" : `${diagnostics.length} errors`;
    const hint = `fix it: pulumi env edit ${target}, or pin an earlier revision: ${namedBy} ${target}@REVISION`;
    return by("esc-definition", `its definition has ${errors}`, hint);
  }
  if (status === 404) {
    const hint = `check ${namedBy}; the service answers the same where the token of ${used} has no access`;
    return by("esc-not-found", `${host} has no such environment or revision`, hint);
  }
  if (status === 429) return by("esc-rate-limited", `${host} is receiving too many requests`, LATER_HINT);
  if (status >= 500) return by("esc-server", `${host} reports a server error`, SERVICE_HINT);
  return { ...worded("esc-status", `${host} answered HTTP ${status}`, BACKEND_HINT), details };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
