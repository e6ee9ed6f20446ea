/** The results of probes, and messages for them without values. */

export type Outcome =
  | { readonly kind: "accepted" }
  /** The service rejects the value. `code` is its own: `HTTP 401`, `28P01`. */
  | { readonly kind: "rejected"; readonly code: string }
  | { readonly kind: "unclear"; readonly why: UnclearReason };

/** Reasons with a code of the system or the protocol, or the name of an error. */
const CODED = {
  unreachable: (where: string) => `${where} cannot be reached`,
  trouble: (where: string) => `${where} fails`,
  quota: (where: string) => `the quota at ${where} is exceeded`,
  credit: (where: string) => `no credit at ${where}`,
  permission: (where: string) => `no permission at ${where}`,
  redirect: (where: string) => `${where} answers with a redirect, which is not followed`,
  unexpected: (where: string) => `unexpected answer of ${where}`,
  internal: () => "an internal error",
} as const;

type UnclearReason =
  | { readonly kind: keyof typeof CODED; readonly code: string }
  /** `unsent`: it cannot be sent safely. `unasked`: a file of the repository names the host, and the user has not agreed. */
  | { readonly kind: "unsent" | "unasked"; readonly reason: string };

export function rejected(code: string): Outcome {
  return { kind: "rejected", code };
}

export function unclear(kind: keyof typeof CODED, code: string): Outcome {
  return { kind: "unclear", why: { kind, code } };
}

export function unsent(reason: string): Outcome {
  return { kind: "unclear", why: { kind: "unsent", reason } };
}

export function unasked(reason: string): Outcome {
  return { kind: "unclear", why: { kind: "unasked", reason } };
}

export function outcomeWords(outcome: Outcome, where: string): string {
  if (outcome.kind === "accepted") return `Accepted by ${where}`;
  if (outcome.kind === "rejected") return `Rejected by ${where} (${outcome.code})`;
  const { why } = outcome;
  if ("reason" in why) return `Not sent: ${why.reason}`;
  return `Not known: ${CODED[why.kind](where)} (${why.code})`;
}
