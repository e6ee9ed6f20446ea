/** The verdict of a service on a value, and its words. It holds no value. */

export type Outcome =
  | { readonly kind: "accepted" }
  /** The service says that the value is wrong. `code` is its own: `HTTP 401`, `28P01`. */
  | { readonly kind: "rejected"; readonly code: string }
  | { readonly kind: "unclear"; readonly why: Doubt };

/** A doubt with a code: of the system, of the protocol, or the name of an error. */
const CODED = {
  unreachable: (where: string) => `${where} cannot be reached`,
  /** The service breaks off, or does not speak the protocol. */
  trouble: (where: string) => `${where} is in trouble`,
  quota: (where: string) => `over the quota of ${where}`,
  credit: (where: string) => `no credit at ${where}`,
  permission: (where: string) => `no permission to ask ${where}`,
  redirect: (where: string) => `${where} answers with a redirect, which is not followed`,
  unexpected: (where: string) => `unexpected answer of ${where}`,
  /** A bug of this program. */
  internal: () => "an internal error",
} as const;

type Doubt =
  | { readonly kind: keyof typeof CODED; readonly code: string }
  /** `unsent`: others could read it. `unasked`: a file of the repository names the service, and the user has not agreed. */
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

/** `Accepted by api.github.com`. */
export function outcomeWords(outcome: Outcome, where: string): string {
  if (outcome.kind === "accepted") return `Accepted by ${where}`;
  if (outcome.kind === "rejected") return `Rejected by ${where} (${outcome.code})`;
  const { why } = outcome;
  if ("reason" in why) return `Not ${why.kind === "unsent" ? "sent" : "asked"}: ${why.reason}`;
  return `Not known: ${CODED[why.kind](where)} (${why.code})`;
}
