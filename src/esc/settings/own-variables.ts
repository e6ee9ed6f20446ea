/**
 * The names of the variables by which a user configures Pulumi ESC for sophia-run. They are in a file of their own, because a start
 * without ESC needs them as well: it tests whether one of them is set, and withholds them from the program.
 */
import type { Environment, Layer } from "../../core/model.ts";

/**
 * The variables with a credential, in the order in which they are used: first those of the process environment, then those of files. If
 * none is set, `ESC_OIDC_ORG` alone means an ID token of GitHub Actions.
 */
export const CREDENTIAL_ORDER = ["ESC_TOKEN", "ESC_TOKEN_FILE", "ESC_TOKEN_COMMAND", "ESC_OIDC_TOKEN_FILE"] as const;

/** The variables for the exchange of an ID token (OIDC) for an access token. */
export const EXCHANGE_VARIABLES = ["ESC_OIDC_ORG", "ESC_OIDC_TYPE", "ESC_OIDC_SCOPE", "ESC_OIDC_EXPIRATION"] as const;

/**
 * The variables that the program does not get, so that it cannot open ESC. `ESC_OIDC_ORG` is one of them, because a sophia-run that the
 * program starts would otherwise warn of incomplete settings.
 */
export const WITHHELD_VARIABLES: readonly string[] = ["ESC_ENV", ...CREDENTIAL_ORDER, ...EXCHANGE_VARIABLES];

/** GitHub Actions sets these variables for requests for an ID token. The program does not get them if they open ESC. */
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
