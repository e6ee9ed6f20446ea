/** The result of a probe as it appears in JSON, without a value. */
export type Outcome =
  | { readonly outcome: "accepted" }
  /** `code` is the service's own: `HTTP 401`, `28P01`. */
  | { readonly outcome: "rejected"; readonly code: string }
  /** `code` is that of the system or the protocol, or the name of an error. */
  | { readonly outcome: "unclear"; readonly kind: keyof typeof UNCLEAR; readonly code: string }
  /** `unsent`: it cannot be sent safely. `unasked`: a file of the repository names the host, and the user has not agreed. */
  | { readonly outcome: "unclear"; readonly kind: "unsent" | "unasked"; readonly reason: string };

const UNCLEAR = {
  unreachable: (where: string) => `${where} cannot be reached`,
  trouble: (where: string) => `${where} fails`,
  quota: (where: string) => `the quota at ${where} is exceeded`,
  credit: (where: string) => `no credit at ${where}`,
  permission: (where: string) => `no permission at ${where}`,
  redirect: (where: string) => `${where} answers with a redirect, which is not followed`,
  unexpected: (where: string) => `unexpected answer of ${where}`,
  internal: () => "an internal error",
} as const;

export function rejected(code: string): Outcome {
  return { outcome: "rejected", code };
}

export function unclear(kind: keyof typeof UNCLEAR, code: string): Outcome {
  return { outcome: "unclear", kind, code };
}

export function unsent(reason: string, kind: "unsent" | "unasked" = "unsent"): Outcome {
  return { outcome: "unclear", kind, reason };
}

export function outcomeWords(result: Outcome, where: string): string {
  if (result.outcome === "accepted") return `Accepted by ${where}`;
  if (result.outcome === "rejected") return `Rejected by ${where} (${result.code})`;
  if ("reason" in result) return `Not sent: ${result.reason}`;
  return `Not known: ${UNCLEAR[result.kind](where)} (${result.code})`;
}
