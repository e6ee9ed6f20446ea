import type { Environment, Layer, Notice } from "../../core/model.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import { type Credential, findCredential, givenCredential, ignoredOrganization } from "./credentials.ts";
import { namesFromFiles, TRUST_OF_RUNTIME } from "./from-files.ts";
import { type EnvironmentName, organizationIn, parseEnvironmentNames, refuseToken } from "./names.ts";
import type { NetworkSettings } from "./network.ts";
import { Secret } from "./secret.ts";
import { isTrustedFor, type Setting, Variables } from "./variables.ts";

export interface EscOptions {
  /** One deadline for all requests to ESC, in milliseconds. */
  readonly timeoutMs: number;
  /** Allows a plain http backend on another machine. */
  readonly insecureHttp: boolean;
  /** A name of two parts is not tried in its old meaning. */
  readonly requireEsc?: boolean;
  /** The life of the opened environment, in milliseconds; else the service's default. */
  readonly sessionMs?: number | undefined;
  /** The environments to read in place of those of `ESC_ENV`, and the option that names them. */
  readonly environments?: { readonly value: string; readonly option: string };
  /** The token to use in place of those of the environment and the files. */
  readonly token?: Setting;
}

/** The settings for reading ESC, checked. Printing them shows no token. */
export interface EscSettings {
  readonly environments: readonly EnvironmentName[];
  readonly namedBy: string;
  readonly credential: Credential;
  readonly credentialFrom: Pick<Setting, "name" | "file">;
  /** URL without a trailing slash. */
  readonly backend: string;
  /** The organization of names that have none, if it is set. */
  readonly organization?: string | undefined;
  readonly network: NetworkSettings;
  /** Proxies and certificates of files that are ignored; reported if ESC cannot be reached. */
  readonly ignoredNetwork: readonly Notice[];
  readonly timeoutMs: number;
  /** A name of two parts has its first meaning alone. */
  readonly oneMeaning: boolean;
  readonly sessionMs?: number | undefined;
}

const NETWORK_VARIABLES = [
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"],
  ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
].flat();

export type EscAccess =
  | { readonly kind: "off" }
  /** Only one of the environment's name and a credential is set. */
  | {
      readonly kind: "incomplete";
      readonly present: string;
      readonly missing: string;
      readonly names?: string;
      /** What gives the credential, where that is set; the value may be a token, or a path. */
      readonly credential?: { readonly name: string; readonly value: Secret };
    }
  | { readonly kind: "on"; readonly settings: EscSettings };

/**
 * Finds the settings for ESC. The process environment wins over the files, an empty variable counts as unset. A backend,
 * proxy or certificate file named in a `.env` file counts only for a token of the same file: else the author of a cloned
 * repository could have the token of the process environment sent to a host of their own.
 *
 * @throws SophiaError (esc-settings, 125) for malformed settings, once both the environment and a credential are set; for
 *   a token in place of a name at once, since reports show the name
 */
export function escAccess(
  environment: Environment,
  dotenv: readonly Layer[],
  options: EscOptions,
): { readonly access: EscAccess; readonly notices: readonly Notice[] } {
  const variables = new Variables(environment, dotenv);
  const names: Setting | undefined =
    options.environments === undefined
      ? variables.find("ESC_ENV")
      : { name: options.environments.option, value: options.environments.value };
  if (names !== undefined) refuseToken(names);
  const found = options.token === undefined ? findCredential(variables) : givenCredential(options.token);
  const notices = (): readonly Notice[] => ignored("ESC_OIDC_ORG", ignoredOrganization(variables));
  const named = names === undefined ? {} : { names: names.value };
  if (found.kind === "incomplete") return { access: { ...found, ...named }, notices: notices() };
  if (found.kind === "none") {
    if (names === undefined) return { access: { kind: "off" }, notices: [] };
    return { access: { kind: "incomplete", present: names.name, missing: "ESC_TOKEN", ...named }, notices: notices() };
  }
  if (names === undefined) {
    const { name, value } = found.setting;
    const credential = { name, value: new Secret(value) };
    return { access: { kind: "incomplete", present: name, missing: "ESC_ENV", credential }, notices: [] };
  }
  // A file that names a token file does not hold the token itself.
  const tokenFile = found.setting.name === "ESC_TOKEN" ? found.setting.file : undefined;
  const isTrusted = (setting: Setting): boolean => isTrustedFor(setting, tokenFile);
  const trusted = (name: string): Setting | undefined => variables.all(name).find(isTrusted);

  const backends = variables.all("PULUMI_BACKEND_URL");
  const backend = backends.find(isTrusted);
  const passedOver = backend === undefined ? backends : backends.slice(0, backends.indexOf(backend));
  const organization = variables.find("ESC_ORG") ?? variables.find("PULUMI_DEFAULT_ORGANIZATION");
  const settings: EscSettings = {
    environments: parseEnvironmentNames(names),
    namedBy: names.name,
    credential: found.credential(),
    credentialFrom: { name: found.setting.name, file: found.setting.file },
    backend: backend === undefined ? DEFAULT_BACKEND : parseBackend(backend, options.insecureHttp),
    organization: organization === undefined ? undefined : organizationIn(organization),
    network: networkBy(trusted, environment),
    ignoredNetwork: NETWORK_VARIABLES.filter((name) => trusted(name) === undefined).flatMap((name) =>
      ignored(name, filesOf(variables.all(name))),
    ),
    timeoutMs: options.timeoutMs,
    oneMeaning: options.requireEsc === true,
    sessionMs: options.sessionMs,
  };
  return {
    access: { kind: "on", settings },
    notices: [
      ...ignored("PULUMI_BACKEND_URL", filesOf(passedOver)),
      ...choiceOfFile(names, organization, settings, found.setting),
    ],
  };
}

/** The network settings of the caller alone, for requests to other hosts than ESC. */
export function callersNetwork(environment: Environment): NetworkSettings {
  const variables = new Variables(environment, []);
  return networkBy((name) => variables.findInProcess(name), environment);
}

function networkBy(trusted: (name: string) => Setting | undefined, environment: Environment): NetworkSettings {
  const extraCertificates = trusted("NODE_EXTRA_CA_CERTS");
  const fromFiles = namesFromFiles(environment);
  const isRuntimeTrusted = !TRUST_OF_RUNTIME.some((name) => fromFiles.has(name));
  return {
    // Lower case first, as curl has it.
    httpsProxy: (trusted("https_proxy") ?? trusted("HTTPS_PROXY"))?.value,
    httpProxy: (trusted("http_proxy") ?? trusted("HTTP_PROXY"))?.value,
    noProxy: (trusted("no_proxy") ?? trusted("NO_PROXY"))?.value,
    certificateFile: trusted("SSL_CERT_FILE")?.value,
    extraCertificateFile: extraCertificates?.value,
    extraCertificatesLoaded:
      isRuntimeTrusted && extraCertificates !== undefined && extraCertificates.file === undefined,
    isRuntimeTrusted,
  };
}

function filesOf(settings: readonly Setting[]): readonly string[] {
  return settings.flatMap(({ file }) => file ?? []);
}

function ignored(name: string, files: readonly string[]): readonly Notice[] {
  return Array.from(new Set(files), (file) => ({ kind: "setting-ignored", name, file }));
}

/** Notices for files that decide which environment the caller's own credential opens. */
function choiceOfFile(
  names: Setting,
  organization: Setting | undefined,
  { environments }: Pick<EscSettings, "environments">,
  credential: Setting,
): readonly Notice[] {
  if (credential.file !== undefined) return [];
  const isOrganizationNeeded = environments.some((one) => one.organization === undefined);
  const chosen = [names, ...(isOrganizationNeeded && organization !== undefined ? [organization] : [])];
  return chosen.flatMap(({ name, file }) =>
    file === undefined ? [] : [{ kind: "environment-by-file", name, file, credential: credential.name }],
  );
}
