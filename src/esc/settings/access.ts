import { SophiaError } from "../../core/error.ts";
import type { Environment, Layer, Notice } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import { CREDENTIAL_ORDER, type Credential, type Exchange, holdsToken, isToken } from "../auth/credentials.ts";
import { type EnvironmentName, isOrganization, parseEnvironmentNames, refuseToken } from "./names.ts";
import type { NetworkSettings } from "./network.ts";
import { Secret } from "../auth/secret.ts";
import { type Setting, Variables } from "./variables.ts";

export { CREDENTIAL_ORDER, describeCredential, WITHHELD_VARIABLES } from "../auth/credentials.ts";

export interface EscOptions {
  /** One deadline for all that is asked of ESC, in milliseconds. */
  readonly timeoutMs: number;
  /** Allows a plain http backend beyond this machine. */
  readonly insecureHttp: boolean;
  /** The environments to read in place of those of `ESC_ENV`, and the option that names them. */
  readonly environments?: { readonly value: string; readonly option: string };
}

/** All that reading ESC needs, checked. Printing it shows no token. */
export interface EscSettings {
  /** At least one; later ones win. */
  readonly environments: readonly EnvironmentName[];
  /** What named them, where it was not `ESC_ENV`. */
  readonly namedBy?: string;
  readonly credential: Credential;
  /** URL without a trailing slash. */
  readonly backend: string;
  /** The organization of names that have none, when it is set. */
  readonly organization?: string;
  readonly network: NetworkSettings;
  readonly timeoutMs: number;
}

export type EscAccess =
  | { readonly kind: "off" }
  /** Only one of the environment's name and a credential is set. */
  | { readonly kind: "incomplete"; readonly present: string; readonly missing: string }
  | { readonly kind: "on"; readonly settings: EscSettings };

/**
 * Whether and how ESC is to be read. The process environment wins over the files, an empty variable counts as unset.
 *
 * A backend, proxy or certificate file named in a `.env` file counts only for a token that stands in the same file:
 * else whoever can write such a file (a cloned repository, say) could have the token of the process environment sent
 * to a host of theirs.
 *
 * @throws SophiaError (esc-settings, 125) for malformed settings, once ESC is both named and has a credential; for a token in the
 *   place of a name at once, since reports show the name
 */
export function escAccess(
  environment: Environment,
  dotenv: readonly Layer[],
  options: EscOptions,
): { readonly access: EscAccess; readonly notices: readonly Notice[] } {
  const variables = new Variables(environment, dotenv);
  const named = options.environments;
  const names = named ?? variables.find("ESC_ENV");
  const namesLabel = named?.option ?? label("ESC_ENV", names);
  if (names !== undefined) refuseToken(names.value, namesLabel);
  const found = findCredential(variables);
  if (found.kind === "none") {
    if (names === undefined) return { access: { kind: "off" }, notices: [] };
    return { access: { kind: "incomplete", present: named?.option ?? "ESC_ENV", missing: found.missing }, notices: [] };
  }
  if (found.kind === "incomplete") {
    return { access: { kind: "incomplete", present: found.present, missing: found.missing }, notices: [] };
  }
  if (names === undefined) {
    return { access: { kind: "incomplete", present: found.variable, missing: "ESC_ENV" }, notices: [] };
  }
  const trusted = variables.trusting(found.tokenFrom);
  const notices: Notice[] = [];
  for (const file of trusted.refused("PULUMI_BACKEND_URL")) notices.push({ kind: "backend-ignored", file });
  const backend = trusted.find("PULUMI_BACKEND_URL");
  const organization = findOrganization(variables);
  const settings: EscSettings = {
    environments: parseEnvironmentNames(names.value, namesLabel),
    ...(named === undefined ? {} : { namedBy: named.option }),
    credential: found.credential(),
    backend:
      backend === undefined
        ? DEFAULT_BACKEND
        : parseBackend(backend.value.trim(), label("PULUMI_BACKEND_URL", backend), options.insecureHttp),
    ...(organization === undefined ? {} : { organization }),
    network: networkSettings((name) => trusted.find(name)),
    timeoutMs: options.timeoutMs,
  };
  return { access: { kind: "on", settings }, notices };
}

type FoundCredential =
  | { readonly kind: "none"; readonly missing: string }
  | { readonly kind: "incomplete"; readonly present: string; readonly missing: string }
  | {
      readonly kind: "found";
      readonly variable: string;
      /** The `.env` file that holds the token itself; absent for one from the process environment or elsewhere. */
      readonly tokenFrom?: string;
      /** @throws SophiaError when it is malformed */
      readonly credential: () => Credential;
    };

function findCredential(variables: Variables): FoundCredential {
  const organization = variables.find("ESC_OIDC_ORG");
  let incomplete: FoundCredential | undefined;
  for (const scope of variables.scopes()) {
    for (const variable of CREDENTIAL_ORDER) {
      const setting = scope(variable);
      // A token of nothing but white space is none.
      if (setting === undefined || setting.value.trim() === "") continue;
      if (variable === "ESC_OIDC_TOKEN_FILE" && organization === undefined) {
        incomplete ??= { kind: "incomplete", present: variable, missing: "ESC_OIDC_ORG" };
        continue;
      }
      return {
        kind: "found",
        variable,
        ...(variable === "ESC_TOKEN" && setting.file !== undefined ? { tokenFrom: setting.file } : {}),
        credential: () => credentialOf(variable, setting, variables),
      };
    }
  }
  if (incomplete !== undefined) return incomplete;
  // Never from a file: it could name a host to which the job's own request token would then travel.
  const url = variables.ofProcess("ACTIONS_ID_TOKEN_REQUEST_URL");
  const requestToken = variables.ofProcess("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  const inActions = variables.ofProcess("GITHUB_ACTIONS") === "true";
  if (organization === undefined) return { kind: "none", missing: "ESC_TOKEN" };
  if (url === undefined || requestToken === undefined) {
    return {
      kind: "incomplete",
      present: "ESC_OIDC_ORG",
      missing: inActions ? "the permission id-token: write" : "ESC_TOKEN or ESC_OIDC_TOKEN_FILE",
    };
  }
  return {
    kind: "found",
    variable: "ESC_OIDC_ORG",
    credential: () => ({
      kind: "github-actions",
      url,
      requestToken: checkedToken(requestToken, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
      exchange: exchangeOf(variables),
    }),
  };
}

function credentialOf(variable: (typeof CREDENTIAL_ORDER)[number], setting: Setting, variables: Variables): Credential {
  switch (variable) {
    case "ESC_TOKEN":
      return { kind: "token", token: checkedToken(setting.value.trim(), label(variable, setting)) };
    case "ESC_TOKEN_FILE":
      return { kind: "token-file", path: pathOf(variable, setting) };
    case "ESC_OIDC_TOKEN_FILE":
      return { kind: "oidc-file", path: pathOf(variable, setting), exchange: exchangeOf(variables) };
  }
}

/** Messages and reports show the path. */
function pathOf(variable: string, setting: Setting): string {
  if (!holdsToken(setting.value)) return setting.value;
  throw invalid(
    `${label(variable, setting)} holds a token in place of the path of a file`,
    `write the token to a file that only you can read and name that, or set ESC_TOKEN to an access token`,
  );
}

function checkedToken(text: string, name: string): Secret {
  if (isToken(text)) return new Secret(text);
  const what = /[\r\n]/.test(text) ? "a line break" : /\s/.test(text) ? "a space" : "a character that no token has";
  throw invalid(`${name} has ${what} in it`, "set it to the access token alone, as the service showed it");
}

function exchangeOf(variables: Variables): Exchange {
  const organization = variables.find("ESC_OIDC_ORG");
  const type = variables.find("ESC_OIDC_TYPE");
  const scope = variables.find("ESC_OIDC_SCOPE");
  const expiration = variables.find("ESC_OIDC_EXPIRATION");
  if (organization === undefined || !isOrganization(organization.value)) {
    throw invalid(`${label("ESC_OIDC_ORG", organization)} is no name of an organization`, "set it to the organization");
  }
  const kind = type?.value ?? "organization";
  if (kind !== "organization" && kind !== "team" && kind !== "personal") {
    throw invalid(`${label("ESC_OIDC_TYPE", type)} is no type of token`, "allowed: organization, team, personal");
  }
  if (kind !== "organization" && scope === undefined) {
    throw invalid(
      `ESC_OIDC_TYPE is ${kind}, yet ESC_OIDC_SCOPE is not set`,
      `set ESC_OIDC_SCOPE to ${kind === "team" ? "team:NAME" : "user:LOGIN"}`,
    );
  }
  const seconds = expiration === undefined ? undefined : Number(expiration.value);
  if (seconds !== undefined && !(Number.isSafeInteger(seconds) && seconds > 0)) {
    throw invalid(
      `${label("ESC_OIDC_EXPIRATION", expiration)} is no number of seconds`,
      "set it to 3600, for instance",
    );
  }
  return {
    organization: organization.value,
    type: kind,
    ...(scope === undefined ? {} : { scope: scope.value }),
    ...(seconds === undefined ? {} : { expiration: seconds }),
  };
}

function findOrganization(variables: Variables): string | undefined {
  for (const name of ["ESC_ORG", "PULUMI_DEFAULT_ORGANIZATION"]) {
    const setting = variables.find(name);
    if (setting === undefined) continue;
    if (isOrganization(setting.value)) return setting.value;
    throw invalid(
      `${label(name, setting)} is no name of an organization`,
      "set it to the organization alone, or unset it",
    );
  }
  return undefined;
}

/** Lower case first, as curl has it. */
function networkSettings(find: (name: string) => Setting | undefined): NetworkSettings {
  const text = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const setting = find(name);
      if (setting !== undefined) return setting.value;
    }
    return undefined;
  };
  const extra = find("NODE_EXTRA_CA_CERTS");
  return {
    httpsProxy: text("https_proxy", "HTTPS_PROXY"),
    httpProxy: text("http_proxy", "HTTP_PROXY"),
    noProxy: text("no_proxy", "NO_PROXY"),
    certificateFile: text("SSL_CERT_FILE"),
    extraCertificateFile: extra?.value,
    extraCertificatesLoaded: extra !== undefined && extra.file === undefined,
  };
}

function label(name: string, setting: Setting | undefined): string {
  return setting?.file === undefined ? name : `${name} in ${printable(setting.file)}`;
}

function invalid(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "esc-settings", message, hint });
}
