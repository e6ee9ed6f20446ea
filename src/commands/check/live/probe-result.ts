/**
 * The result of a probe of `check --live`: the service accepted the value, rejected it, or nothing is known about the
 * value. The object is part of the JSON report as it is, and never contains a value.
 */
export type ProbeResult =
  | { readonly outcome: "accepted" }
  /** `code` is the status or the error code of the service, such as `HTTP 401`, or `28P01` of PostgreSQL. */
  | { readonly outcome: "rejected"; readonly code: string }
  /** `code` is an error code of the system or of the protocol, or the name of an error. */
  | { readonly outcome: "unclear"; readonly kind: UnclearKind; readonly code: string }
  /** The value was not sent: it cannot be sent safely, or (`unasked`) a file names the host and the user has not agreed. */
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

/** Returns the result of a probe that was run, but did not show whether the value is valid. */
export function unclear(kind: UnclearKind, code: string): ProbeResult {
  return { outcome: "unclear", kind, code };
}

/** Returns the result for a value that was not sent. */
export function unsent(reason: string, kind: "unsent" | "unasked" = "unsent"): ProbeResult {
  return { outcome: "unclear", kind, reason };
}

/** Describes a result for the user. @param service the destination, such as `api.openai.com` */
export function describeResult(result: ProbeResult, service: string): string {
  if (result.outcome === "accepted") return `Accepted by ${service}`;
  if (result.outcome === "rejected") return `Rejected by ${service} (${result.code})`;
  if ("reason" in result) return `Not sent: ${result.reason}`;
  return `Not known: ${DESCRIPTIONS[result.kind](service)} (${result.code})`;
}
