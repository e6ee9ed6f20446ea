/**
 * Describes for the user why Pulumi ESC could not be read or changed: the reason, the remedy, and details. The file is loaded only
 * if there is such a fault (`EscFault`). Example:
 *
 *     ESC environment acme/sophia/dev cannot be read: 127.0.0.1:1 refused the connection (ECONNREFUSED) (2 attempts)
 *     check the network, the proxies (HTTPS_PROXY, NO_PROXY) and PULUMI_BACKEND_URL
 */
import type { FailureCode } from "../../core/failure-codes.ts";
import { type Failure, formatDiagnostic } from "../../core/model.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate, printable } from "../../core/text.ts";
import { limitLines } from "../../core/lines.ts";
import { NOT_LOOPBACK } from "../../network/network-fault.ts";
import type { EscSettings } from "../settings/access-settings.ts";
import { describeCredential } from "../settings/credentials.ts";
import { isSchemaRefusal, refusalLines } from "./schema-refusal.ts";
import {
  type EscFault,
  type Fault,
  type FaultContext,
  mayHaveEffect,
  needsApproval,
  refusalTarget,
} from "./esc-fault.ts";

/** The settings that the message names: the environments, the variable or option with their names, and the credential. */
type NamedSettings = Pick<EscSettings, "environments" | "namedBy" | "credential">;
/** The fault of one kind, such as `FaultOf<"status">`. */
type FaultOf<Kind extends Fault["kind"]> = Extract<Fault, { readonly kind: Kind }>;
/** Reasons by the code of an error. `HOST` stands for the host and port of the service. */
type ReasonsByCode = Readonly<Record<string, string>>;

const NO_ROUTE = "there is no route to HOST";
const UNKNOWN_HOST = "HOST could not be resolved";
const CONNECT_REASONS: ReasonsByCode = {
  ECONNREFUSED: "HOST refused the connection",
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: UNKNOWN_HOST,
  ENETUNREACH: NO_ROUTE,
  EHOSTUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  ETIMEDOUT: "HOST did not answer",
  [NOT_LOOPBACK]: "the name HOST leads to another machine, so nothing was sent",
};

// The hints: what the user can do.
const NETWORK_HINT = "check the network, the proxies (HTTPS_PROXY, NO_PROXY) and PULUMI_BACKEND_URL";
const LOOPBACK_HINT = "use 127.0.0.1 in its place, or give the name that address in /etc/hosts";
const SERVICE_HINT = "try again; if it keeps failing, check the service's status";
const LATER_HINT = "try again later, or allow more time with --timeout (SOPHIA_TIMEOUT)";
const TIME_HINT = "check the network and the service's status, or allow more time with --timeout (SOPHIA_TIMEOUT)";
const PROXY_HINT = "check HTTPS_PROXY and the proxy's rules, or exempt the backend with NO_PROXY";
const PROXY_PASSWORD_HINT = "put the proxy's user name and password into its URL: http://user:password@host:port";
const OTHER_ANSWERER = "a proxy or a network that requires a sign-in may have answered instead of the service";
const BACKEND_HINT = `check PULUMI_BACKEND_URL; ${OTHER_ANSWERER}`;
const REDIRECT_HINT =
  "set PULUMI_BACKEND_URL to the service's own address; a network that requires a sign-in also redirects";
const EXCHANGE_HINT = "check ESC_OIDC_ORG, and that the organization trusts the token's issuer, audience and subject";
const ID_TOKEN_HINT =
  "give the job the permission id-token: write; an ID token can be requested only while the job runs";
const ID_TOKEN_URL_HINT = "GitHub Actions sets it for jobs that have the permission id-token: write; do not change it";
const CLOCK_HINT = "check this machine's clock; if it is right, the service must renew its certificate";
const ISSUER_HINT = "for a private certificate authority set SSL_CERT_FILE or NODE_EXTRA_CA_CERTS to its PEM file";

const OTHER_HOST = ["the certificate is for another host", BACKEND_HINT] as const;
const UNKNOWN_ISSUER = ["the certificate's issuer is not trusted", ISSUER_HINT] as const;
const NO_TLS = ["the server does not use TLS", BACKEND_HINT] as const;
/** Reasons and hints for errors of TLS, by the code of OpenSSL or of Node.js. */
const TLS_REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  CERT_HAS_EXPIRED: ["the certificate has expired", CLOCK_HINT],
  CERT_NOT_YET_VALID: ["the certificate is not valid yet, or this machine's clock is wrong", CLOCK_HINT],
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_HOST,
  HOSTNAME_MISMATCH: OTHER_HOST,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_ISSUER,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

const ANSWER_REASONS: Readonly<Record<FaultOf<"answer">["problem"], string>> = {
  html: "HOST answered with a web page instead of JSON",
  empty: "HOST answered with an empty body",
  "not-json": "the answer of HOST is truncated or not JSON",
  unexpected: "the answer of HOST is not an ESC answer",
  encoding: "the answer of HOST is compressed or not UTF-8",
};

/** Reasons for a file with a token, by the errno, or by the code of `token-file.ts` or `bounded-read.ts`. */
const FILE_REASONS: ReasonsByCode = {
  ENOENT: "does not exist (ENOENT)",
  EACCES: "cannot be read: permission denied (EACCES)",
  EPERM: "cannot be read: permission denied (EPERM)",
  EISDIR: "is a folder (EISDIR)",
  empty: "is empty",
  malformed: "contains more than a token: a space, line break or control character",
  NOT_A_FILE: "is a device or a socket",
  TOO_LARGE: "is too large to be a token file",
  NO_END: "is a pipe that did not end within 5 s",
};

/** The limit on the errors of a definition that a message shows. */
const MAX_DIAGNOSTICS = 20;
const UNCERTAIN_CHANGE =
  "it is not known whether ESC made the change; run the same command again, which finds out and completes it";

/** Describes a fault for the user. @param remarks further lines, such as about certificates that are not used */
export function describeFault(
  { fault, context }: EscFault,
  settings: NamedSettings,
  remarks: readonly string[],
): Failure {
  const { attempts = 1, environment, step, isChange = false, isUncertain = false } = context;
  const failure = describeReason(fault, settings, context);
  const {
    details = [],
    message,
    ...rest
  } = isChange ? describeFailedChange(failure, fault, settings, isUncertain) : failure;
  const names = environment === undefined ? settings.environments.map(({ text }) => text) : [environment];
  const noun = names.length > 1 ? "ESC environments" : "ESC environment";
  // If the message names one environment, it need not name the step.
  const stepPrefix = environment !== undefined || step === undefined ? "" : `${step}: `;
  const attemptsSuffix = attempts > 1 ? ` (${attempts} attempts)` : "";
  const allDetails = [...details, ...remarks];
  return {
    ...rest,
    message: `${noun} ${printable(names.join(", "))} ${describeEffect(fault, context)}: ${stepPrefix}${message}${attemptsSuffix}`,
    ...(allDetails.length === 0 ? {} : { details: allDetails }),
  };
}

function describeEffect(fault: Fault, { isChange = false, isWritten = false }: FaultContext): string {
  if (isWritten) return "was changed, but cannot be read back";
  if (isChange) return "cannot be changed";
  return refusalTarget(fault) === undefined ? "cannot be read" : "was refused";
}

/** Returns the reason as a failure whose message does not name the environment yet. */
function describeReason(fault: Fault, settings: NamedSettings, context: FaultContext): Failure {
  if (fault.kind === "status") return describeStatus(fault, settings, context);
  const [code, message, hint] = describeOtherFault(fault, settings);
  const details = fault.kind === "exchange" && fault.message !== undefined ? { details: [fault.message] } : {};
  return { code, message, hint, ...details };
}

/** Describes a fault that is not an HTTP status. */
function describeOtherFault(
  fault: Exclude<Fault, { kind: "status" }>,
  { namedBy }: NamedSettings,
): readonly [code: FailureCode, message: string, hint: string] {
  const host = "host" in fault ? fault.host : "";
  const withHost = (words: string): string => words.replace("HOST", () => host);
  switch (fault.kind) {
    case "connect":
      return [
        "esc-unreachable",
        `${withHost(CONNECT_REASONS[fault.code] ?? "no connection to HOST")} (${fault.code})`,
        fault.code === NOT_LOOPBACK ? LOOPBACK_HINT : NETWORK_HINT,
      ];
    case "cut": {
      const reason = `${host} closed the connection before the whole answer arrived (${fault.code})`;
      return ["esc-unreachable", reason, `${SERVICE_HINT} and any proxies in between`];
    }
    case "tls": {
      const [known, hint] = TLS_REASONS[fault.code] ?? [undefined, ISSUER_HINT];
      const reason = known === undefined ? fault.code : `${known} (${fault.code})`;
      return ["esc-tls", `no secure connection to ${host}: ${reason}`, hint];
    }
    case "not-http":
      return ["esc-answer", `${host} does not answer with HTTP`, BACKEND_HINT];
    case "bad-proxy": {
      const hint = `set ${fault.variable} to http://host:port, or exempt the backend with NO_PROXY`;
      return ["esc-proxy", `${fault.variable} is not the URL of an HTTP proxy`, hint];
    }
    case "proxy-refused": {
      const reason = `the proxy ${fault.proxy} refused the connection (HTTP ${fault.status})`;
      return ["esc-proxy", reason, fault.status === 407 ? PROXY_PASSWORD_HINT : PROXY_HINT];
    }
    case "timeout":
      return ["esc-timeout", `timed out after ${describeDuration(fault.timeoutMs)} while ${fault.phase}`, TIME_HINT];
    case "slow": {
      const reason = `timed out after ${describeDuration(fault.limitMs)} while ${fault.phase}`;
      return fault.unreached ? ["esc-unreachable", reason, NETWORK_HINT] : ["esc-timeout", reason, SERVICE_HINT];
    }
    case "too-large":
      return ["esc-answer", `the answer of ${host} is larger than ${fault.limit / 1024 / 1024} MiB`, BACKEND_HINT];
    case "redirect": {
      const target = fault.to === undefined ? "" : ` to ${fault.to}`;
      const reason = `${host} redirects${target} (HTTP ${fault.status}); not followed, so that no other host gets the token`;
      return ["esc-redirect", reason, REDIRECT_HINT];
    }
    case "answer":
      return ["esc-answer", withHost(ANSWER_REASONS[fault.problem]), BACKEND_HINT];
    // The session was opened again after its first end (open-session.ts).
    case "session":
      return ["esc-session", `${host} twice ended the session before the values were read (HTTP 404)`, SERVICE_HINT];
    case "pause-too-long": {
      const { status, retryAfterMs, leftMs } = fault;
      const reason = `${host} answered HTTP ${status} and asks for a pause of ${describeDuration(retryAfterMs)}, longer than the ${describeDuration(leftMs)} left`;
      return [status === 429 ? "esc-rate-limited" : "esc-server", reason, LATER_HINT];
    }
    case "file": {
      const reason = `${fault.variable}: ${printable(fault.path)} ${FILE_REASONS[fault.code] ?? `cannot be read (${fault.code})`}`;
      const isHome = fault.path.startsWith("~") && fault.code === "ENOENT";
      const hint = isHome
        ? `~ is not expanded in ${fault.variable}: write the whole path, or in a shell "$HOME" for ~`
        : `set ${fault.variable} to the path of a readable file that contains only the token`;
      return ["esc-credential", reason, hint];
    }
    case "exchange":
      return ["esc-credential", `${host} refused it: ${fault.error}`, EXCHANGE_HINT];
    case "id-token":
      return ["esc-credential", `${host} issued none (HTTP ${fault.status})`, ID_TOKEN_HINT];
    case "id-token-url":
      return ["esc-credential", "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL", ID_TOKEN_URL_HINT];
    case "no-organization": {
      const hint = `name the organization: ${describeAssignment(namedBy, "organization/project/environment")}, or set ESC_ORG`;
      return ["esc-not-found", `${host} has no default organization for this token`, hint];
    }
  }
}

/**
 * Describes an HTTP status. The order of the cases matters: 401 and 403 come first, and then any status with diagnostics, which is
 * an error in the definition of the environment.
 */
function describeStatus(
  fault: FaultOf<"status">,
  { credential, environments, namedBy }: NamedSettings,
  { environment = environments.at(-1)?.text ?? "", isDefinition = false }: FaultContext,
): Failure {
  const { host, status, diagnostics } = fault;
  const details = detailsOfStatus(fault);
  const usedCredential = printable(describeCredential(credential));
  const target = shellWord(environment.replace(/@.*$/, ""));
  const failure = (code: FailureCode, reason: string, hint: string): Failure => ({
    code,
    message: `${reason} (HTTP ${status})`,
    hint,
    details,
  });
  if (status === 401) {
    const hint = `check ${usedCredential}: the token may be wrong, expired or revoked`;
    return failure("esc-denied", `${host} does not accept the token`, hint);
  }
  if (needsApproval(fault)) {
    const option = namedBy === "ESC_ENV" ? "" : `--in ${target} `;
    const hint = `sophia-run request ${option}--reason TEXT asks for it; then start again`;
    return failure("esc-approval", `${host} opens it only with an approval`, hint);
  }
  if (status === 403 && isDefinition) {
    const hint = `use a token that may read and write it: check ${usedCredential}`;
    return failure("esc-forbidden", `${host} does not allow the token to read its definition`, hint);
  }
  if (status === 403) {
    const hint = `allow the token of ${usedCredential} to open the environment and those it imports`;
    return failure("esc-forbidden", `${host} does not allow the token to open it`, hint);
  }
  if (isSchemaRefusal(fault)) {
    const hint = `list them and their rules: sophia-run check --against ${target}`;
    const refused = "a schema in it refuses its values, for each program";
    return { code: "esc-schema", message: refused, hint, details: refusalLines(diagnostics) };
  }
  if (diagnostics.length > 0) {
    const errors = diagnostics.length === 1 ? "an error" : `${diagnostics.length} errors`;
    const pinned = describeAssignment(namedBy, `${target}@REVISION`);
    const hint = `fix it: pulumi env edit ${target}, or pin an earlier revision: ${pinned}`;
    return failure("esc-definition", `its definition has ${errors}`, hint);
  }
  if (status === 404) {
    // Without "the value of", the user would read "check --against" as a command.
    const namesSource = namedBy.startsWith("-") ? `the value of ${namedBy}` : namedBy;
    const hint = `check ${namesSource}; the service gives the same answer if the token (${usedCredential}) has no access`;
    return failure("esc-not-found", `${host} has no such environment or revision`, hint);
  }
  if (status === 429) return failure("esc-rate-limited", `${host} is receiving too many requests`, LATER_HINT);
  if (status >= 500) return failure("esc-server", `${host} reports a server error`, SERVICE_HINT);
  return { code: "esc-status", message: `${host} answered HTTP ${status}`, hint: BACKEND_HINT, details };
}

/** Returns the lines below the message: what was tried, what the service reports, and the ID of the request. */
function detailsOfStatus(fault: FaultOf<"status">): readonly string[] {
  const { host, message, isPage = false, diagnostics, requestId, tried = [], untried } = fault;
  return [
    ...(tried.length > 1 ? [`tried ${enumerate(tried)}`] : []),
    ...(untried === undefined ? [] : [`${untried}: to open it, write it in three parts`]),
    ...limitLines(diagnostics.map(formatDiagnostic), MAX_DIAGNOSTICS),
    ...(message === undefined || diagnostics.length > 0 ? [] : [`${host}: ${message}`]),
    // A page may come from a proxy or from ESC itself, so it is only a detail.
    ...(isPage && refusalTarget(fault) !== undefined ? [`the answer is a web page: ${OTHER_ANSWERER}`] : []),
    ...(requestId === undefined ? [] : [`request ID ${requestId}`]),
  ];
}

/**
 * Returns the failure for a change of the environment that ESC has not confirmed: with another reason and remedy if ESC refused it,
 * or with a further line if ESC may have made it.
 */
function describeFailedChange(
  failure: Failure,
  fault: Fault,
  { credential }: NamedSettings,
  isUncertain: boolean,
): Failure {
  const { details = [] } = failure;
  if (isUncertain || mayHaveEffect(fault)) return { ...failure, details: [...details, UNCERTAIN_CHANGE] };
  if (fault.kind !== "status") return failure;
  const { host, status, diagnostics } = fault;
  const refusal = (reason: string, hint: string): Failure => ({
    ...failure,
    message: `${host} ${reason} (HTTP ${status})`,
    hint,
  });
  if (status === 403) {
    const used = printable(describeCredential(credential));
    return refusal("does not allow the token to change it", `use a token that may write it: check ${used}`);
  }
  if (status === 413) {
    return refusal("does not accept a definition of this size", "import less, or into several environments");
  }
  if (diagnostics.length > 0 || status === 400) {
    return refusal(
      "does not accept the new definition",
      "nothing was changed; fix the reported errors, then start again",
    );
  }
  return failure;
}

/** Returns a setting as the user writes it: `--against VALUE`, or `ESC_ENV=VALUE`. */
function describeAssignment(name: string, value: string): string {
  return `${name}${name.startsWith("-") ? " " : "="}${value}`;
}

function describeDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
