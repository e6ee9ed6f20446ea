import { unreachable } from "../../core/error.ts";
import type { Diagnostic, Failure } from "../../core/model.ts";
import { formatDiagnostic } from "../../core/diagnostic.ts";
import { enumerate, printable } from "../../core/text.ts";
import { type Credential, describeCredential } from "../auth/credentials.ts";
import type { EscFault, Fault } from "./fault.ts";
import { answerReason, connectReason, fileReason, tlsReason } from "./reasons.ts";

/** What could not be read, and with what. */
export interface Subject {
  /** One environment or several, as `ESC_ENV` names them. */
  readonly environments: readonly string[];
  readonly credential: Credential;
  /** What names the environments; `ESC_ENV` where nothing else is said. */
  readonly setting?: string;
  /** Where the credential and the organization did their part, what was to be done: `exchanging the ID token`. */
  readonly step?: string;
}

interface Words {
  readonly code: string;
  /** Completes `… cannot be read: `. */
  readonly why: string;
  readonly hint: string;
  readonly details?: readonly string[];
}

const MAX_DIAGNOSTICS = 20;

/** Puts a fault into words: what could not be read and why, what to do, and what the service says in detail. */
export function wordFault({ fault, attempts }: EscFault, subject: Subject): Failure {
  const { code, why, hint, details } = words(fault, subject);
  const names = subject.environments.map(printable).join(", ");
  const step = subject.step === undefined ? "" : `${subject.step}: `;
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  return {
    code,
    message: `ESC environment${subject.environments.length > 1 ? "s" : ""} ${names} cannot be read: ${step}${why}${times}`,
    hint,
    ...(details === undefined || details.length === 0 ? {} : { details }),
  };
}

function words(fault: Fault, subject: Subject): Words {
  switch (fault.kind) {
    case "connect":
      return { code: "esc-unreachable", why: connectReason(fault.host, fault.code), hint: NETWORK_HINT };
    case "cut":
      return {
        code: "esc-unreachable",
        why: `${fault.host} broke the connection off before the whole answer was there (${fault.code})`,
        hint: "try again; if it lasts, look at the service's status and at proxies on the way",
      };
    case "tls":
      return {
        code: "esc-tls",
        why: `the certificate or TLS of ${fault.host} is not acceptable: ${tlsReason(fault.code)}`,
        hint: "for a private certificate authority name its PEM file in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS",
      };
    case "not-http":
      return { code: "esc-answer", why: `${fault.host} does not speak HTTP`, hint: BACKEND_HINT };
    case "bad-proxy":
      return {
        code: "esc-proxy",
        why: `${fault.variable} names no HTTP proxy`,
        hint: `set ${fault.variable} to http://host:port, or exempt the backend by NO_PROXY`,
      };
    case "proxy-refused":
      return {
        code: "esc-proxy",
        why: `the proxy ${fault.proxy} refuses the connection (HTTP ${fault.status})`,
        hint:
          fault.status === 407
            ? "put the proxy's user name and password into its URL: http://user:password@host:port"
            : "look at HTTPS_PROXY and at the proxy's rules, or exempt the backend by NO_PROXY",
      };
    case "timeout":
      return {
        code: "esc-timeout",
        why: `the time of ${seconds(fault.timeoutMs)} ran out while ${fault.phase}`,
        hint: "look at the network and the service's status; --timeout (SOPHIA_TIMEOUT) gives it longer",
      };
    case "interrupted":
      return { code: "esc-interrupted", why: "interrupted", hint: "start it again" };
    case "too-large":
      return {
        code: "esc-answer",
        why: `the answer of ${fault.host} is larger than ${fault.limit / 1024 / 1024} MiB`,
        hint: BACKEND_HINT,
      };
    case "redirect":
      return {
        code: "esc-redirect",
        why: `${fault.host} redirects${fault.to === undefined ? "" : ` to ${fault.to}`} (HTTP ${fault.status}), which is not followed: the token stays here`,
        hint: "set PULUMI_BACKEND_URL to the service's own address; a network that asks for a sign-in redirects too",
      };
    case "answer":
      return { code: "esc-answer", why: answerReason(fault.host, fault.problem), hint: BACKEND_HINT };
    case "status":
      return statusWords(fault, subject);
    case "session":
      return {
        code: "esc-session",
        why: `${fault.host} forgot the session before it was read, twice (HTTP 404)`,
        hint: "try again; if it lasts, look at the service's status",
      };
    case "pause-too-long":
      return {
        code: fault.status === 429 ? "esc-rate-limited" : "esc-server",
        why: `${fault.host} answers HTTP ${fault.status} and asks for a pause of ${seconds(fault.retryAfterMs)}, more than the ${seconds(fault.leftMs)} left`,
        hint: "start it later, or give it longer by --timeout (SOPHIA_TIMEOUT)",
      };
    case "file":
      return {
        code: "esc-credential",
        why: `${fault.variable}: ${printable(fault.path)} ${fileReason(fault.code)}`,
        hint: `let ${fault.variable} name a readable file that holds the token alone`,
      };
    case "exchange":
      return {
        code: "esc-credential",
        why: `${fault.host} refuses it: ${fault.error}`,
        hint: "check ESC_OIDC_ORG and the organization's trust in the token's issuer, its audience and subject",
        ...(fault.message === undefined ? {} : { details: [fault.message] }),
      };
    case "id-token":
      return {
        code: "esc-credential",
        why: `${fault.host} gives none (HTTP ${fault.status})`,
        hint: "give the job the permission id-token: write; what it was given ends with the job",
      };
    case "id-token-url":
      return {
        code: "esc-credential",
        why: "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL",
        hint: "GitHub Actions sets it for jobs that have the permission id-token: write; leave it as it is",
      };
    case "no-organization":
      return {
        code: "esc-not-found",
        why: `${fault.host} names no default organization`,
        hint: `name the organization: ${settingOf(subject)}=organization/project/environment, or set ESC_ORG`,
      };
    default:
      return unreachable(fault);
  }
}

const NETWORK_HINT = "look at the network, at proxies (HTTPS_PROXY, NO_PROXY) and at PULUMI_BACKEND_URL";
const BACKEND_HINT =
  "check PULUMI_BACKEND_URL; a network that asks for a sign-in or a proxy may answer in the service's place";

function settingOf({ setting = "ESC_ENV" }: Subject): string {
  return setting;
}

function statusWords(fault: Extract<Fault, { kind: "status" }>, subject: Subject): Words {
  const { credential } = subject;
  const { host, status, message, diagnostics, requestId, tried = [] } = fault;
  const details = [
    ...(tried.length > 1 ? [`asked for ${enumerate(tried)}`] : []),
    ...formatDiagnostics(diagnostics),
    ...(message === undefined || diagnostics.length > 0 ? [] : [`${host}: ${message}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  const used = printable(describeCredential(credential));
  if (status === 401) {
    return {
      code: "esc-denied",
      why: `${host} does not accept the token (HTTP 401)`,
      hint: `check ${used}: the token may be wrong, expired or revoked`,
      details,
    };
  }
  if (status === 403) {
    return {
      code: "esc-denied",
      why: `${host} does not let the token open it (HTTP 403)`,
      hint: `let the token of ${used} open the environment, and those it imports`,
      details,
    };
  }
  if (diagnostics.length > 0) {
    const errors = diagnostics.length === 1 ? "an error" : `${diagnostics.length} errors`;
    return {
      code: "esc-definition",
      why: `its definition has ${errors} (HTTP ${status})`,
      hint: `mend the definition, or pin an earlier revision: ${settingOf(subject)}=…@revision`,
      details,
    };
  }
  if (status === 404) {
    return {
      code: "esc-not-found",
      why: `${host} knows no such environment or revision (HTTP 404)`,
      hint: `check ${settingOf(subject)}; the service answers so too where the token of ${used} has no access`,
      details,
    };
  }
  if (status === 429) {
    return {
      code: "esc-rate-limited",
      why: `${host} gets too many requests (HTTP 429)`,
      hint: "start it later, or give it longer by --timeout (SOPHIA_TIMEOUT)",
      details,
    };
  }
  if (status >= 500) {
    return {
      code: "esc-server",
      why: `${host} has a fault of its own (HTTP ${status})`,
      hint: "try again; if it lasts, look at the service's status",
      details,
    };
  }
  return { code: "esc-status", why: `${host} answers HTTP ${status}`, hint: BACKEND_HINT, details };
}

function formatDiagnostics(diagnostics: readonly Diagnostic[]): readonly string[] {
  const lines = diagnostics.slice(0, MAX_DIAGNOSTICS).map(formatDiagnostic);
  const left = diagnostics.length - lines.length;
  return left > 0 ? [...lines, `and ${left} more`] : lines;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
