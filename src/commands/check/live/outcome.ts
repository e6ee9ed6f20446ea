/** What a service says of a value, and its words. No value stands in it. */

export type Outcome =
  | { readonly kind: "accepted" }
  /** The service says that the value is wrong. `code` is its own: `HTTP 401`, `28P01`. */
  | { readonly kind: "rejected"; readonly code: string }
  /** Nobody can tell. */
  | { readonly kind: "unclear"; readonly why: Doubt };

export type Doubt =
  /** `code` is the system's. */
  | { readonly kind: "unreachable"; readonly code: string }
  /** What answers breaks off, or does not speak the protocol. */
  | { readonly kind: "trouble"; readonly code: string }
  | { readonly kind: "quota" | "credit" | "permission"; readonly code: string }
  | { readonly kind: "redirect"; readonly code: string }
  | { readonly kind: "unexpected"; readonly code: string }
  /** A bug of this program; `code` is the name of the error. */
  | { readonly kind: "internal"; readonly code: string }
  /** Sending it would show it to others. */
  | { readonly kind: "unsent"; readonly reason: string }
  /** A file of the repository names the service, and the user has not agreed. */
  | { readonly kind: "unasked"; readonly reason: string };

export function rejected(code: string): Outcome {
  return { kind: "rejected", code };
}

export function unclear(kind: Exclude<Doubt["kind"], "unsent" | "unasked">, code: string): Outcome {
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
  switch (outcome.kind) {
    case "accepted":
      return `Accepted by ${where}`;
    case "rejected":
      return `Rejected by ${where} (${outcome.code})`;
    case "unclear":
      return doubtWords(outcome.why, where);
  }
}

function doubtWords(why: Doubt, where: string): string {
  switch (why.kind) {
    case "unreachable":
      return `Not known: ${where} cannot be reached (${why.code})`;
    case "trouble":
      return `Not known: ${where} is in trouble (${why.code})`;
    case "quota":
      return `Not known: over the quota of ${where} (${why.code})`;
    case "credit":
      return `Not known: no credit at ${where} (${why.code})`;
    case "permission":
      return `Not known: no permission to ask ${where} (${why.code})`;
    case "redirect":
      return `Not known: ${where} answers with a redirect, which is not followed (${why.code})`;
    case "unexpected":
      return `Not known: unexpected answer of ${where} (${why.code})`;
    case "internal":
      return `Not known: an internal error (${why.code})`;
    case "unsent":
      return `Not sent: ${why.reason}`;
    case "unasked":
      return `Not asked: ${why.reason}`;
  }
}
