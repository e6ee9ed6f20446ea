import type { FailureCode } from "../../core/failure-codes.ts";
import { formatDiagnostic } from "../../core/diagnostic.ts";
import type { Diagnostic, Failure } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate, firstOf, printable } from "../../core/text.ts";
import type { EscSettings } from "../settings/access.ts";
import { describeCredential } from "../settings/credentials.ts";
import { asChange } from "./change-wording.ts";
import type { EscFault, Fault, FaultContext } from "./fault.ts";
import { needsApproval, refusal } from "./refusal.ts";
import { answerReason, connectReason, fileReason, tlsReason } from "./reasons.ts";

/** With what ESC was to be read. */
type Subject = Pick<EscSettings, "environments" | "namedBy" | "credential">;

/** Who it is that could not be read, as a line to copy names it. */
function targetOf({ environments }: Subject, environment = environments.at(-1)?.text ?? ""): string {
  return shellWord(printable(environment.replace(/@.*$/, "")));
}

const MAX_DIAGNOSTICS = 20;
const NETWORK_HINT = "check the network, the proxies (HTTPS_PROXY, NO_PROXY) and PULUMI_BACKEND_URL";
const BACKEND_HINT =
  "check PULUMI_BACKEND_URL; a proxy or a network that requires a sign-in may answer for the service";
const SERVICE_HINT = "try again; if it keeps failing, check the service's status";
const LATER_HINT = "try again later, or allow more time with --timeout (SOPHIA_TIMEOUT)";

/**
 * Puts a fault into words: what could not be read and why, what to do, and what the service says in detail.
 *
 * @param remarks further details
 */
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

/** A certificate of the caller's own helps only where the issuer is not known. */
function tlsHint(code: string): string {
  switch (code) {
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "check this machine's clock; if it is right, the service has to renew its certificate";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return BACKEND_HINT;
    default:
      return "for a private certificate authority set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS to its PEM file";
  }
}

/** A failure whose message completes `… cannot be read: ` or `… was refused: `. */
function reasonFor(fault: Fault, subject: Subject, context: FaultContext): Failure {
  switch (fault.kind) {
    case "connect":
      return { code: "esc-unreachable", message: connectReason(fault.host, fault.code), hint: NETWORK_HINT };
    case "cut":
      return {
        code: "esc-unreachable",
        message: `${fault.host} closed the connection before the whole answer arrived (${fault.code})`,
        hint: `${SERVICE_HINT} and any proxies in between`,
      };
    case "tls":
      return {
        code: "esc-tls",
        message: `no secure connection to ${fault.host}: ${tlsReason(fault.code)}`,
        hint: tlsHint(fault.code),
      };
    case "not-http":
      return { code: "esc-answer", message: `${fault.host} does not answer with HTTP`, hint: BACKEND_HINT };
    case "bad-proxy":
      return {
        code: "esc-proxy",
        message: `${fault.variable} is not the URL of an HTTP proxy`,
        hint: `set ${fault.variable} to http://host:port, or exempt the backend with NO_PROXY`,
      };
    case "proxy-refused":
      return {
        code: "esc-proxy",
        message: `the proxy ${fault.proxy} refused the connection (HTTP ${fault.status})`,
        hint:
          fault.status === 407
            ? "put the proxy's user name and password into its URL: http://user:password@host:port"
            : "check HTTPS_PROXY and the proxy's rules, or exempt the backend with NO_PROXY",
      };
    case "timeout":
      return {
        code: "esc-timeout",
        message: `timed out after ${seconds(fault.timeoutMs)} while ${fault.phase}`,
        hint: "check the network and the service's status, or allow more time with --timeout (SOPHIA_TIMEOUT)",
      };
    case "slow":
      return {
        code: fault.unreached ? "esc-unreachable" : "esc-timeout",
        message: `timed out after ${seconds(fault.limitMs)} while ${fault.phase}`,
        hint: fault.unreached ? NETWORK_HINT : SERVICE_HINT,
      };
    case "too-large":
      return {
        code: "esc-answer",
        message: `the answer of ${fault.host} is larger than ${fault.limit / 1024 / 1024} MiB`,
        hint: BACKEND_HINT,
      };
    case "redirect":
      return {
        code: "esc-redirect",
        message: `${fault.host} redirects${fault.to === undefined ? "" : ` to ${fault.to}`} (HTTP ${fault.status}); sophia-run does not follow, so that nobody else gets the token`,
        hint: "set PULUMI_BACKEND_URL to the service's own address; a network that requires a sign-in also redirects",
      };
    case "answer":
      return { code: "esc-answer", message: answerReason(fault.host, fault.problem), hint: BACKEND_HINT };
    case "status":
      return reasonForStatus(fault, subject, context);
    case "session":
      return {
        code: "esc-session",
        message: `${fault.host} ended the session before it was read, twice (HTTP 404)`,
        hint: SERVICE_HINT,
      };
    case "pause-too-long":
      return {
        code: fault.status === 429 ? "esc-rate-limited" : "esc-server",
        message: `${fault.host} answered HTTP ${fault.status} and asks for a pause of ${seconds(fault.retryAfterMs)}, longer than the ${seconds(fault.leftMs)} left`,
        hint: LATER_HINT,
      };
    case "file":
      return {
        code: "esc-credential",
        message: `${fault.variable}: ${printable(fault.path)} ${fileReason(fault.code)}`,
        hint: `set ${fault.variable} to the path of a readable file that contains only the token`,
      };
    case "exchange":
      return {
        code: "esc-credential",
        message: `${fault.host} refused it: ${fault.error}`,
        hint: "check ESC_OIDC_ORG, and that the organization trusts the token's issuer, audience and subject",
        ...(fault.message === undefined ? {} : { details: [fault.message] }),
      };
    case "id-token":
      return {
        code: "esc-credential",
        message: `${fault.host} issued none (HTTP ${fault.status})`,
        hint: "give the job the permission id-token: write; an ID token can be requested only while the job runs",
      };
    case "id-token-url":
      return {
        code: "esc-credential",
        message: "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL",
        hint: "GitHub Actions sets it for jobs that have the permission id-token: write; do not change it",
      };
    case "no-organization":
      return {
        code: "esc-not-found",
        message: `${fault.host} has no default organization for this token`,
        hint: `name the organization: ${subject.namedBy}=organization/project/environment, or set ESC_ORG`,
      };
  }
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
    ...formatDiagnostics(diagnostics),
    ...(message === undefined || diagnostics.length > 0 ? [] : [`${host}: ${message}`]),
    ...(requestId === undefined ? [] : [`request ID ${requestId}`]),
  ];
  const used = printable(describeCredential(credential));
  const worded = (code: FailureCode, why: string, hint: string): Failure => ({
    code,
    message: `${why} (HTTP ${status})`,
    hint,
    details,
  });
  if (status === 401) {
    const hint = `check ${used}: the token may be wrong, expired or revoked`;
    return worded("esc-denied", `${host} does not accept the token`, hint);
  }
  if (needsApproval(fault)) {
    const asked = namedBy === "ESC_ENV" ? "" : `--in ${targetOf(subject, environment)} `;
    const hint = `sophia-run request ${asked}--reason TEXT asks for it; then start again`;
    return worded("esc-approval", `${host} opens it only with an approval`, hint);
  }
  if (status === 403 && isDefinition) {
    const hint = `use a token that may read and write it: check ${used}`;
    return worded("esc-forbidden", `${host} does not allow the token to read its definition`, hint);
  }
  if (status === 403) {
    const hint = `allow the token of ${used} to open the environment and those it imports`;
    return worded("esc-forbidden", `${host} does not allow the token to open it`, hint);
  }
  if (diagnostics.length > 0) {
    const errors = diagnostics.length === 1 ? "an error" : `${diagnostics.length} errors`;
    const target = targetOf(subject, environment);
    const hint = `fix it: pulumi env edit ${target}, or pin an earlier revision: ${namedBy} ${target}@REVISION`;
    return worded("esc-definition", `its definition has ${errors}`, hint);
  }
  if (status === 404) {
    const hint = `check ${namedBy}; the service answers the same where the token of ${used} has no access`;
    return worded("esc-not-found", `${host} has no such environment or revision`, hint);
  }
  if (status === 429) return worded("esc-rate-limited", `${host} is receiving too many requests`, LATER_HINT);
  if (status >= 500) return worded("esc-server", `${host} reports a server error`, SERVICE_HINT);
  return { code: "esc-status", message: `${host} answered HTTP ${status}`, hint: BACKEND_HINT, details };
}

function formatDiagnostics(diagnostics: readonly Diagnostic[]): readonly string[] {
  return firstOf(diagnostics.map(formatDiagnostic), MAX_DIAGNOSTICS);
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
