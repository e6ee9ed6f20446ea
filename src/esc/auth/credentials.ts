import type { Secret } from "./secret.ts";

/**
 * The variables that give a credential, in their order of precedence: the first that is set counts. Those of the
 * process environment go before those of `.env` files. Where none is set, GitHub Actions serves as the credential if
 * `ESC_OIDC_ORG` is set and the job has `id-token: write`.
 */
export const CREDENTIAL_ORDER = ["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"] as const;

/** Says for whom and for what an ID token is exchanged. */
const EXCHANGE_VARIABLES = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"] as const;

/**
 * The launcher's own variables: the program that it starts does not get them. Those of the exchange neither: a nested
 * sophia-run would take `ESC_OIDC_ORG` for a half of its settings, and warn.
 */
export const WITHHELD_VARIABLES: readonly string[] = ["ESC_ENV", ...CREDENTIAL_ORDER, ...EXCHANGE_VARIABLES];

/** What a token exchange (RFC 8693) asks for. */
export interface Exchange {
  /** The organization that trusts the issuer of the ID token. */
  readonly organization: string;
  readonly type: "organization" | "team" | "personal";
  /** `team:NAME` for a team token, `user:LOGIN` for a personal one. */
  readonly scope?: string;
  /** The life of the token in seconds; the service's own choice when absent. */
  readonly expiration?: number;
}

/** How sophia-run gets its token. */
export type Credential =
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "oidc-file"; readonly path: string; readonly exchange: Exchange }
  | {
      readonly kind: "github-actions";
      readonly url: string;
      readonly requestToken: Secret;
      readonly exchange: Exchange;
    };

/** Names the credential in use, for people: `ESC_TOKEN_FILE (/run/secrets/esc)`. Holds no token. */
export function describeCredential(credential: Credential): string {
  switch (credential.kind) {
    case "token":
      return "ESC_TOKEN";
    case "token-file":
      return `ESC_TOKEN_FILE (${credential.path})`;
    case "oidc-file":
      return `ESC_OIDC_TOKEN_FILE (${credential.path}), exchanged for organization ${credential.exchange.organization}`;
    case "github-actions":
      return `GitHub Actions ID token, exchanged for organization ${credential.exchange.organization}`;
  }
}

/**
 * Whether a text has an access token in it, or is an ID token: set in the place of a name or a path by mistake, it must
 * not be told in a message as those are.
 */
export function holdsToken(text: string): boolean {
  return /(?:^|[^a-z])pul-[0-9a-f]{32,}/.test(text) || /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(text.trim());
}

/** Whether a text can be sent as a token: printable ASCII without spaces (an HTTP header takes no more). */
export function isToken(text: string): boolean {
  return /^[\u0021-\u007E]+$/.test(text);
}
