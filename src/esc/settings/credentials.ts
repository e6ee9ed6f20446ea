/**
 * Finds the credential that opens Pulumi ESC, among the variables of the process environment and of `.env` files: an access token,
 * a file with a token, a command that prints one, or an ID token (OIDC) that ESC exchanges for an access token.
 *
 *     ESC_TOKEN=pul-…
 *     ESC_TOKEN_FILE=/run/secrets/esc
 *     ESC_TOKEN_COMMAND='pass show esc'
 *     ESC_OIDC_TOKEN_FILE=/run/id-token  ESC_OIDC_ORG=acme
 *     ESC_OIDC_ORG=acme                    alone, in a job of GitHub Actions, which issues the ID token
 *
 * The search reads no file and runs no command. `auth/token.ts` does that later.
 */
import { parseOrganization } from "./environment-names.ts";
import { CREDENTIAL_ORDER, type EXCHANGE_VARIABLES } from "./own-variables.ts";
import { holdsToken, isToken, Secret } from "./secret.ts";
import { invalidSetting, isTrustedFor, labelOf, refuseQuotes, type Setting, type VariableLookup } from "./variables.ts";

const TOKEN_TYPES = ["organization", "team", "personal"] as const;

/** The properties of the access token for which an ID token is exchanged (RFC 8693). */
export interface TokenExchange {
  readonly organization: string;
  readonly type: (typeof TOKEN_TYPES)[number];
  /** `team:NAME` for a team token, `user:LOGIN` for a personal one. */
  readonly scope?: string;
  /** The lifetime of the token in seconds; absent for the service's default. */
  readonly expiration?: number;
}

/** A credential from which `auth/token.ts` obtains an access token. If a command printed a token, this is the printed token. */
export type Credential =
  /** `label` names the source in messages; absent for `ESC_TOKEN`. */
  | { readonly kind: "token"; readonly token: Secret; readonly label?: string }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "oidc-file"; readonly path: string; readonly exchange: TokenExchange }
  | {
      readonly kind: "github-actions";
      readonly url: string;
      readonly requestToken: Secret;
      readonly exchange: TokenExchange;
    };

/** `ESC_TOKEN_COMMAND` of the caller's environment. sophia-run runs the command before it contacts ESC. */
export interface TokenCommand {
  readonly kind: "token-command";
  readonly command: string;
}

/** Describes a credential for messages, such as `ESC_TOKEN_FILE (/run/secrets/esc)`. The text contains no token. */
export function describeCredential(credential: Credential | TokenCommand): string {
  switch (credential.kind) {
    case "token":
      return credential.label ?? "ESC_TOKEN";
    case "token-command":
      return "ESC_TOKEN_COMMAND";
    case "token-file":
      return `ESC_TOKEN_FILE (${credential.path})`;
    case "oidc-file":
      return `ESC_OIDC_TOKEN_FILE (${credential.path}), exchanged for organization ${credential.exchange.organization}`;
    case "github-actions":
      return `GitHub Actions ID token, exchanged for organization ${credential.exchange.organization}`;
  }
}

/** The result of the search. */
export type FoundCredential =
  | { readonly kind: "none" }
  /** An ID token and the organization that it is for belong together, and only one of them is set. */
  | { readonly kind: "incomplete"; readonly present: string; readonly missing: string }
  | {
      readonly kind: "found";
      readonly setting: Setting;
      /** Parses the setting. Throws a SophiaError if it is malformed, which matters only if an environment is named as well. */
      readonly parse: () => Credential | TokenCommand;
    };

/**
 * Returns the credential for the value of a token that the caller has found, such as `ESC_ADMIN_TOKEN` or the login of Pulumi's
 * CLI.
 */
export function createTokenCredential(setting: Setting): Extract<FoundCredential, { kind: "found" }> {
  const parse = (): Credential => ({ kind: "token", token: parseTokenSetting(setting), label: setting.name });
  return { kind: "found", setting, parse };
}

/** Finds the credential: the first variable that is set, in the order of `CREDENTIAL_ORDER` (docs/secrets.md). */
export function findCredential(variables: VariableLookup): FoundCredential {
  // A token that is all white space is treated as unset. A file must not name a command to run.
  const settings = variables
    .all(...CREDENTIAL_ORDER)
    .filter(({ name, file, value }) => value.trim() !== "" && (name !== "ESC_TOKEN_COMMAND" || file === undefined));
  for (const setting of settings) {
    const parse = parserFor(setting, variables);
    if (parse !== undefined) return { kind: "found", setting, parse };
  }
  // The settings without a parser are those of ESC_OIDC_TOKEN_FILE that have no organization.
  if (settings.length > 0) return { kind: "incomplete", present: "ESC_OIDC_TOKEN_FILE", missing: "ESC_OIDC_ORG" };
  return variables.find("ESC_OIDC_ORG") === undefined ? { kind: "none" } : findGithubCredential(variables);
}

/** Returns a function that parses a setting as a credential; undefined for an ID token without an organization. */
function parserFor(setting: Setting, variables: VariableLookup): (() => Credential | TokenCommand) | undefined {
  switch (setting.name) {
    case "ESC_TOKEN":
      return () => ({ kind: "token", token: parseTokenSetting(setting) });
    case "ESC_TOKEN_FILE":
      return () => ({ kind: "token-file", path: parsePathSetting(setting) });
    case "ESC_TOKEN_COMMAND":
      return () => ({ kind: "token-command", command: setting.value });
    // ESC_OIDC_TOKEN_FILE, the last of CREDENTIAL_ORDER.
    default: {
      const findExchangeSetting = createExchangeLookup(setting.file, variables);
      const organization = findExchangeSetting("ESC_OIDC_ORG");
      if (organization === undefined) return undefined;
      return () => ({
        kind: "oidc-file",
        path: parsePathSetting(setting),
        exchange: parseExchange(organization, findExchangeSetting),
      });
    }
  }
}

/**
 * Finds the credential for the ID token that GitHub Actions issues to a job, if `ESC_OIDC_ORG` is set, but no variable with a
 * credential.
 */
function findGithubCredential(variables: VariableLookup): FoundCredential {
  // These variables must not come from a file. The job's request token is sent to the URL, which would then be the file's choice.
  const url = variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_URL");
  const requestToken = variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  if (url === undefined || requestToken === undefined) {
    const isInActions = variables.findInProcess("GITHUB_ACTIONS")?.value === "true";
    const missing = isInActions ? "the permission id-token: write" : "ESC_TOKEN or ESC_OIDC_TOKEN_FILE";
    return { kind: "incomplete", present: "ESC_OIDC_ORG", missing };
  }
  const findExchangeSetting = createExchangeLookup(undefined, variables);
  const setting = findExchangeSetting("ESC_OIDC_ORG");
  // If only a file sets the organization, it is ignored: a file must not decide for whom an ID token of the job is exchanged.
  if (setting === undefined) return { kind: "none" };
  const parse = (): Credential => {
    const token = parseTokenSetting(requestToken);
    return {
      kind: "github-actions",
      url: url.value,
      requestToken: token,
      exchange: parseExchange(setting, findExchangeSetting),
    };
  };
  return { kind: "found", setting, parse };
}

/** Returns the settings of `ESC_OIDC_ORG` in files that are ignored, because the ID token does not come from the same file. */
export function findIgnoredOrganization(variables: VariableLookup): readonly Setting[] {
  const hasRequestToken = variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_TOKEN") !== undefined;
  const idToken =
    variables.find("ESC_OIDC_TOKEN_FILE") ??
    (hasRequestToken ? variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_URL") : undefined);
  if (idToken === undefined || createExchangeLookup(idToken.file, variables)("ESC_OIDC_ORG") !== undefined) return [];
  return variables.all("ESC_OIDC_ORG");
}

/**
 * Parses the path of a file with a token.
 * @throws SophiaError (esc-settings, 125) if the value is the token itself. Messages show paths, but must not show a token
 */
function parsePathSetting(setting: Setting): string {
  refuseQuotes(setting);
  if (!holdsToken(setting.value)) return setting.value;
  throw invalidSetting(
    `${labelOf(setting)} contains a token instead of the path of a file`,
    "write the token to a file that only you can read and set the variable to its path, or set ESC_TOKEN to an access token",
  );
}

/**
 * Parses a token.
 *
 * @throws SophiaError (esc-settings, 125) for a text that no HTTP header can carry. The message does not show it
 */
function parseTokenSetting(setting: Setting): Secret {
  refuseQuotes(setting);
  const text = setting.value.trim();
  if (isToken(text)) return new Secret(text);
  const hint = "set it to the access token alone, as the service showed it";
  throw invalidSetting(`${labelOf(setting)} contains ${describeInvalidCharacter(text)}`, hint);
}

function describeInvalidCharacter(text: string): string {
  if (/[\r\n]/.test(text)) return "a line break";
  return /\s/.test(text) ? "a space" : "a character that is not allowed in a token";
}

/** Finds a setting of the exchange: the first that the caller has set, or the file that also names the ID token. */
type FindExchangeSetting = (name: (typeof EXCHANGE_VARIABLES)[number]) => Setting | undefined;

/** Returns a search for settings of the exchange. @param file the file that names the ID token; undefined if the caller names it */
function createExchangeLookup(file: string | undefined, variables: VariableLookup): FindExchangeSetting {
  return (name) => {
    const setting = variables.all(name).find((candidate) => isTrustedFor(candidate, file));
    if (setting !== undefined) refuseQuotes(setting);
    return setting;
  };
}

/** Parses the settings of the exchange. @throws SophiaError (esc-settings, 125) for a malformed one */
function parseExchange(organizationSetting: Setting, findExchangeSetting: FindExchangeSetting): TokenExchange {
  const organization = parseOrganization(organizationSetting);
  const typeSetting = findExchangeSetting("ESC_OIDC_TYPE");
  const type = TOKEN_TYPES.find((name) => name === (typeSetting?.value ?? "organization"));
  if (type === undefined) {
    const label = typeSetting === undefined ? "" : labelOf(typeSetting);
    throw invalidSetting(`${label} is not a valid token type`, `allowed: ${TOKEN_TYPES.join(", ")}`);
  }
  const scope = findExchangeSetting("ESC_OIDC_SCOPE");
  if (type !== "organization" && scope === undefined) {
    throw invalidSetting(
      `ESC_OIDC_TYPE is ${type}, but ESC_OIDC_SCOPE is not set`,
      `set ESC_OIDC_SCOPE to ${type === "team" ? "team:NAME" : "user:LOGIN"}`,
    );
  }
  const lifetime = findExchangeSetting("ESC_OIDC_EXPIRATION");
  const expiration = Number(lifetime?.value);
  if (lifetime !== undefined && !(Number.isSafeInteger(expiration) && expiration > 0)) {
    throw invalidSetting(`${labelOf(lifetime)} is not a number of seconds`, "set it to 3600, for example");
  }
  const optional = { ...(scope && { scope: scope.value }), ...(lifetime && { expiration }) };
  return { organization, type, ...optional };
}
