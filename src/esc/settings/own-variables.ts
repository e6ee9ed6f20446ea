/** The variables by which sophia-run itself reaches ESC. Here stands what a start without ESC needs to know of them. */
import type { Environment, Layer } from "../../core/model.ts";

/**
 * The variables that give a credential, in their order of precedence: the first that is set counts. Those of the
 * process environment go before those of `.env` files. Where none is set, GitHub Actions serves as the credential if
 * `ESC_OIDC_ORG` is set and the job has `id-token: write`. What an ID token is exchanged for stands where the caller sets
 * it, or in the file that names the ID token.
 */
export const CREDENTIAL_ORDER = ["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_OIDC_TOKEN_FILE"] as const;

/** For whom and for what an ID token is exchanged. */
export const EXCHANGE_VARIABLES = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"] as const;

/**
 * The launcher's own variables: the program that it starts does not get them. Neither does it get those of the exchange:
 * a nested sophia-run would take `ESC_OIDC_ORG` for incomplete settings, and warn.
 */
export const WITHHELD_VARIABLES: readonly string[] = ["ESC_ENV", ...CREDENTIAL_ORDER, ...EXCHANGE_VARIABLES];

/**
 * By which a step of GitHub Actions asks for an ID token. Where they open ESC, they are credentials of the launcher, too:
 * with them the program could open it.
 */
export const ID_TOKEN_VARIABLES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] as const;

/**
 * The token of whoever changes environments: sophia-run takes it from the process environment alone and for commands
 * that write. No program gets it.
 */
export const ADMIN_TOKEN = "ESC_ADMIN_TOKEN";

/** Whether there is anything to settle about ESC. If not, it is off, and nobody set half of it. */
export function isEscMentioned(environment: Environment, files: readonly Layer[]): boolean {
  return (
    WITHHELD_VARIABLES.some((name) => (environment.get(name) ?? "") !== "") ||
    files.some(({ variables }) =>
      variables.some(({ name, value }) => value !== "" && WITHHELD_VARIABLES.includes(name)),
    )
  );
}
