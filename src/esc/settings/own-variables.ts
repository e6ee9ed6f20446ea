/** The variables for reaching ESC that a start without ESC must know. */
import type { Environment, Layer } from "../../core/model.ts";

/** The first that is set is used, from files last; else an ID token of GitHub Actions, if `ESC_OIDC_ORG` is set. */
export const CREDENTIAL_ORDER = ["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_TOKEN_COMMAND", "ESC_OIDC_TOKEN_FILE"] as const;

export const EXCHANGE_VARIABLES = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"] as const;

/** Withheld from the program. With only `ESC_OIDC_ORG` a nested sophia-run would warn of incomplete settings. */
export const WITHHELD_VARIABLES: readonly string[] = ["ESC_ENV", ...CREDENTIAL_ORDER, ...EXCHANGE_VARIABLES];

/** Request an ID token in GitHub Actions. Withheld from the program if they open ESC. */
export const ID_TOKEN_VARIABLES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] as const;

/** The token for commands that write, only from the process environment. Always withheld from the program. */
export const ADMIN_TOKEN = "ESC_ADMIN_TOKEN";

/** All variables of sophia-run's own for ESC; with those of the options they are what docs/reference.md lists. */
export const ESC_VARIABLES: readonly string[] = [
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
  "SOPHIA_ALLOW_ENVIRONMENT",
];

/** Returns false if ESC is off, and no variable of it is set. */
export function isEscMentioned(environment: Environment, files: readonly Layer[]): boolean {
  return (
    WITHHELD_VARIABLES.some((name) => (environment.get(name) ?? "") !== "") ||
    files.some(({ variables }) =>
      variables.some(({ name, value }) => value !== "" && WITHHELD_VARIABLES.includes(name)),
    )
  );
}
