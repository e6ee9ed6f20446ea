/**
 * The names of the variables for reaching ESC. They are in a file of their own, because a start without ESC needs them, too.
 */
import type { Environment, Layer } from "../../core/model.ts";

/**
 * The first of these that is set is used, files last. Otherwise, with `ESC_OIDC_ORG`, an ID token of GitHub Actions is used.
 */
export const CREDENTIAL_ORDER = ["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_TOKEN_COMMAND", "ESC_OIDC_TOKEN_FILE"] as const;

export const EXCHANGE_VARIABLES = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"] as const;

/** Withheld from the program. If it got `ESC_OIDC_ORG` alone, a nested sophia-run would warn of incomplete settings. */
export const WITHHELD_VARIABLES: readonly string[] = ["ESC_ENV", ...CREDENTIAL_ORDER, ...EXCHANGE_VARIABLES];

/** GitHub Actions sets these for requests for an ID token. They are withheld from the program if they open ESC. */
export const ID_TOKEN_VARIABLES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] as const;

/** The token of commands that write. It is read only from the process environment, and always withheld from the program. */
export const ADMIN_TOKEN = "ESC_ADMIN_TOKEN";

/** All variables for ESC that only sophia-run reads. Together with those of the options, docs/reference.md lists them. */
export const ESC_VARIABLES: readonly string[] = [
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
  "SOPHIA_ALLOW_ENVIRONMENT",
];

/** Returns true if a variable for ESC is set. If not, ESC is off, and its code need not be loaded. */
export function isEscMentioned(environment: Environment, files: readonly Layer[]): boolean {
  return (
    WITHHELD_VARIABLES.some((name) => (environment.get(name) ?? "") !== "") ||
    files.some(({ variables }) =>
      variables.some(({ name, value }) => value !== "" && WITHHELD_VARIABLES.includes(name)),
    )
  );
}
