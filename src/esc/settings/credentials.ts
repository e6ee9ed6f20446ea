import { organizationIn } from "./environment-names.ts";
import { CREDENTIAL_ORDER, type EXCHANGE_VARIABLES } from "./own-variables.ts";
import { holdsToken, isToken, Secret } from "./secret.ts";
import { invalidSetting, isTrustedFor, labelOf, refuseQuotes, type Setting, type Variables } from "./variables.ts";

const TOKEN_TYPES = ["organization", "team", "personal"] as const;

/** The terms of a token exchange (RFC 8693). */
export interface Exchange {
  readonly organization: string;
  readonly type: (typeof TOKEN_TYPES)[number];
  /** `team:NAME` for a team token, `user:LOGIN` for a personal one. */
  readonly scope?: string;
  /** The life of the token in seconds, if not the service's default. */
  readonly expiration?: number;
}

export type Credential =
  /** `label`: the source in messages, if not `ESC_TOKEN`. */
  | { readonly kind: "token"; readonly token: Secret; readonly label?: string }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "oidc-file"; readonly path: string; readonly exchange: Exchange }
  | {
      readonly kind: "github-actions";
      readonly url: string;
      readonly requestToken: Secret;
      readonly exchange: Exchange;
    };

/** `ESC_TOKEN_COMMAND`, of the caller's environment: it is run before ESC is asked. */
export interface TokenCommand {
  readonly kind: "token-command";
  readonly command: string;
}

/** Names the credential in messages: `ESC_TOKEN_FILE (/run/secrets/esc)`. Contains no token. */
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

export type FoundCredential =
  | { readonly kind: "none" }
  | { readonly kind: "incomplete"; readonly present: string; readonly missing: string }
  | {
      readonly kind: "found";
      readonly setting: Setting;
      readonly credential: () => Credential | TokenCommand;
    };

/** Makes the credential of a token that a command has got, such as `ESC_ADMIN_TOKEN`. */
export function givenCredential(setting: Setting): Extract<FoundCredential, { kind: "found" }> {
  const credential = (): Credential => ({ kind: "token", token: tokenIn(setting), label: setting.name });
  return { kind: "found", setting, credential };
}

/** Finds the credential to open ESC with: the first that is set, in the order of docs/secrets.md. */
export function findCredential(variables: Variables): FoundCredential {
  // A token that is all white space counts as unset.
  const settings = variables
    .all(...CREDENTIAL_ORDER)
    .filter(({ name, file, value }) => value.trim() !== "" && (name !== "ESC_TOKEN_COMMAND" || file === undefined));
  for (const setting of settings) {
    const withCredential = (credential: () => Credential | TokenCommand): FoundCredential => ({
      kind: "found",
      setting,
      credential,
    });
    if (setting.name === "ESC_TOKEN") return withCredential(() => ({ kind: "token", token: tokenIn(setting) }));
    if (setting.name === "ESC_TOKEN_FILE") return withCredential(() => ({ kind: "token-file", path: pathIn(setting) }));
    if (setting.name === "ESC_TOKEN_COMMAND") {
      return withCredential(() => ({ kind: "token-command", command: setting.value }));
    }
    const terms = termsFor(setting.file, variables);
    const organization = terms("ESC_OIDC_ORG");
    if (organization !== undefined) {
      return withCredential(() => ({
        kind: "oidc-file",
        path: pathIn(setting),
        exchange: exchangeFor(organization, terms),
      }));
    }
  }
  if (settings.length > 0) return { kind: "incomplete", present: "ESC_OIDC_TOKEN_FILE", missing: "ESC_OIDC_ORG" };
  if (variables.find("ESC_OIDC_ORG") === undefined) return { kind: "none" };
  // Never from a file, which could name a host to which the job's request token would be sent.
  const url = variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_URL");
  const requestToken = variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  if (url !== undefined && requestToken !== undefined) {
    const terms = termsFor(undefined, variables);
    const setting = terms("ESC_OIDC_ORG");
    if (setting === undefined) return { kind: "none" };
    const credential = (): Credential => {
      const token = tokenIn(requestToken);
      return { kind: "github-actions", url: url.value, requestToken: token, exchange: exchangeFor(setting, terms) };
    };
    return { kind: "found", setting, credential };
  }
  const inActions = variables.findInProcess("GITHUB_ACTIONS")?.value === "true";
  const missing = inActions ? "the permission id-token: write" : "ESC_TOKEN or ESC_OIDC_TOKEN_FILE";
  return { kind: "incomplete", present: "ESC_OIDC_ORG", missing };
}

/** Returns the settings of `ESC_OIDC_ORG` in files that are ignored, if there is an ID token and no other setting. */
export function ignoredOrganization(variables: Variables): readonly Setting[] {
  const idToken =
    variables.find("ESC_OIDC_TOKEN_FILE") ??
    (variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_TOKEN") === undefined
      ? undefined
      : variables.findInProcess("ACTIONS_ID_TOKEN_REQUEST_URL"));
  if (idToken === undefined || termsFor(idToken.file, variables)("ESC_OIDC_ORG") !== undefined) return [];
  return variables.all("ESC_OIDC_ORG");
}

function pathIn(setting: Setting): string {
  refuseQuotes(setting);
  if (!holdsToken(setting.value)) return setting.value;
  throw invalidSetting(
    `${labelOf(setting)} contains a token instead of the path of a file`,
    "write the token to a file that only you can read and set the variable to its path, or set ESC_TOKEN to an access token",
  );
}

function tokenIn(setting: Setting): Secret {
  refuseQuotes(setting);
  const text = setting.value.trim();
  if (isToken(text)) return new Secret(text);
  const other = /\s/.test(text) ? "a space" : "a character that is not allowed in a token";
  const what = /[\r\n]/.test(text) ? "a line break" : other;
  const hint = "set it to the access token alone, as the service showed it";
  throw invalidSetting(`${labelOf(setting)} contains ${what}`, hint);
}

/** Looks up a setting of an exchange: the caller's, or that of the file that names the ID token. */
type Terms = (name: (typeof EXCHANGE_VARIABLES)[number]) => Setting | undefined;

function termsFor(file: string | undefined, variables: Variables): Terms {
  return (name) => {
    const found = variables.all(name).find((setting) => isTrustedFor(setting, file));
    if (found !== undefined) refuseQuotes(found);
    return found;
  };
}

function exchangeFor(trusting: Setting, terms: Terms): Exchange {
  const organization = organizationIn(trusting);
  const typeSetting = terms("ESC_OIDC_TYPE");
  const type = TOKEN_TYPES.find((one) => one === (typeSetting?.value ?? "organization"));
  if (type === undefined) {
    const label = typeSetting === undefined ? "" : labelOf(typeSetting);
    throw invalidSetting(`${label} is not a valid token type`, `allowed: ${TOKEN_TYPES.join(", ")}`);
  }
  const scope = terms("ESC_OIDC_SCOPE");
  if (type !== "organization" && scope === undefined) {
    throw invalidSetting(
      `ESC_OIDC_TYPE is ${type}, but ESC_OIDC_SCOPE is not set`,
      `set ESC_OIDC_SCOPE to ${type === "team" ? "team:NAME" : "user:LOGIN"}`,
    );
  }
  const life = terms("ESC_OIDC_EXPIRATION");
  const expiration = Number(life?.value);
  if (life !== undefined && !(Number.isSafeInteger(expiration) && expiration > 0)) {
    throw invalidSetting(`${labelOf(life)} is not a number of seconds`, "set it to 3600, for example");
  }
  const optional = { ...(scope && { scope: scope.value }), ...(life && { expiration }) };
  return { organization, type, ...optional };
}
