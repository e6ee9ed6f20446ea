/**
 * The result of a probe: the service accepted the value, rejected it, or nothing is known about it. A result has the form that it
 * has in JSON, and never contains a value.
 */
export type ProbeResult =
  | { readonly outcome: "accepted" }
  /** `code` is the service's own: `HTTP 401`, `28P01`. */
  | { readonly outcome: "rejected"; readonly code: string }
  /** `code` is an error code of the system or of the protocol, or the name of an error. */
  | { readonly outcome: "unclear"; readonly kind: UnclearKind; readonly code: string }
  /** `unsent`: it cannot be sent safely. `unasked`: a file of the repository names the host, and the user has not agreed. */
  | { readonly outcome: "unclear"; readonly kind: "unsent" | "unasked"; readonly reason: string };

export type UnclearKind = keyof typeof DESCRIPTIONS;

/** Sentences for the user. `service` names the destination. */
const DESCRIPTIONS = {
  unreachable: (service: string) => `${service} cannot be reached`,
  trouble: (service: string) => `${service} fails`,
  quota: (service: string) => `the quota at ${service} is exceeded`,
  credit: (service: string) => `no credit at ${service}`,
  permission: (service: string) => `no permission at ${service}`,
  redirect: (service: string) => `${service} answers with a redirect, which is not followed`,
  unexpected: (service: string) => `unexpected answer of ${service}`,
  internal: () => "an internal error",
} as const;

export function rejected(code: string): ProbeResult {
  return { outcome: "rejected", code };
}

/** The value was sent, or the service could not be reached, and nothing is known about the value. */
export function unclear(kind: UnclearKind, code: string): ProbeResult {
  return { outcome: "unclear", kind, code };
}

/** The value was not sent. */
export function unsent(reason: string, kind: "unsent" | "unasked" = "unsent"): ProbeResult {
  return { outcome: "unclear", kind, reason };
}

export function describeResult(result: ProbeResult, service: string): string {
  if (result.outcome === "accepted") return `Accepted by ${service}`;
  if (result.outcome === "rejected") return `Rejected by ${service} (${result.code})`;
  if ("reason" in result) return `Not sent: ${result.reason}`;
  return `Not known: ${DESCRIPTIONS[result.kind](service)} (${result.code})`;
}
