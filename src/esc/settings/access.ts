import type { Environment, Layer, Notice } from "../../core/model.ts";
import type { NetworkSettings } from "../../network/settings.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import { type Credential, findCredential, givenCredential, ignoredOrganization } from "./credentials.ts";
import { namesFromFiles, TRUST_OF_RUNTIME } from "./from-files.ts";
import { type EnvironmentName, organizationIn, parseEnvironmentNames, refuseToken } from "./names.ts";
import { Secret } from "./secret.ts";
import { isTrustedFor, type Setting, Variables } from "./variables.ts";

/** The life of an opened environment by the service's default, in milliseconds. Minted credentials may end with it. */
export const SESSION_MS = 3_600_000;

export interface EscOptions {
  readonly timeoutMs: number;
  readonly insecureHttp: boolean;
  /** Excludes the old meaning of a name of two parts. */
  readonly requireEsc?: boolean;
  readonly sessionMs?: number | undefined;
  /** Replaces the environments of `ESC_ENV`; with the option that names them. */
  readonly environments?: { readonly value: string; readonly option: string };
  /** Replaces the tokens of the environment and the files. */
  readonly token?: Setting;
}

/** The settings for reading ESC, checked. Printing them shows no token. */
export interface EscSettings {
  readonly environments: readonly EnvironmentName[];
  readonly namedBy: string;
  readonly credential: Credential;
  readonly credentialFrom: Pick<Setting, "name" | "file">;
  readonly backend: string;
  readonly organization?: string | undefined;
  readonly network: NetworkSettings;
  /** Proxies and certificates of files that are ignored; reported if ESC cannot be reached. */
  readonly ignoredNetwork: readonly Notice[];
  readonly timeoutMs: number;
  /** A name of two parts has no second meaning. */
  readonly oneMeaning: boolean;
  readonly sessionMs?: number | undefined;
}

const NETWORK_VARIABLES = [
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"],
  ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
].flat();

export type EscAccess =
  | { readonly kind: "off" }
  | {
      readonly kind: "incomplete";
      readonly present: string;
      readonly missing: string;
      readonly names?: string;
      /** The setting of the credential, if there is one; the value may be a token, or a path. */
      readonly credential?: { readonly name: string; readonly value: Secret };
    }
  | { readonly kind: "on"; readonly settings: EscSettings };

/**
 * Finds the settings for ESC; the process environment wins over the files. A backend, proxy or certificate file of a `.env`
 * file is used only for a token of that file: else a cloned repository could have the user's token sent to another host.
 * @throws SophiaError (esc-settings, 125) for malformed settings, if both the environment and a credential are set; for a
 *   token in place of a name in any case, since reports show the name
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
  const search = options.token === undefined ? findCredential(variables) : givenCredential(options.token);
  if (search.kind !== "found") {
    if (search.kind === "none" && names === undefined) return { access: { kind: "off" }, notices: [] };
    const parts = search.kind === "none" ? { present: names?.name ?? "", missing: "ESC_TOKEN" } : search;
    const access = { ...parts, kind: "incomplete", ...(names === undefined ? {} : { names: names.value }) } as const;
    return { access, notices: ignored("ESC_OIDC_ORG", ignoredOrganization(variables)) };
  }
  if (names === undefined) {
    const { name, value } = search.setting;
    const credential = { name, value: new Secret(value) };
    return { access: { kind: "incomplete", present: name, missing: "ESC_ENV", credential }, notices: [] };
  }
  // A file that names a token file does not hold the token itself.
  const tokenFile = search.setting.name === "ESC_TOKEN" ? search.setting.file : undefined;
  const isTrusted = (setting: Setting): boolean => isTrustedFor(setting, tokenFile);
  const trusted = (name: string): Setting | undefined => variables.all(name).find(isTrusted);

  const backends = variables.all("PULUMI_BACKEND_URL");
  const backend = backends.find(isTrusted);
  const ignoredBackends = backend === undefined ? backends : backends.slice(0, backends.indexOf(backend));
  const organization = variables.find("ESC_ORG") ?? variables.find("PULUMI_DEFAULT_ORGANIZATION");
  const settings: EscSettings = {
    environments: parseEnvironmentNames(names),
    namedBy: names.name,
    credential: search.credential(),
    credentialFrom: { name: search.setting.name, file: search.setting.file },
    backend: backend === undefined ? DEFAULT_BACKEND : parseBackend(backend, options.insecureHttp),
    organization: organization === undefined ? undefined : organizationIn(organization),
    network: networkBy(trusted, environment),
    ignoredNetwork: NETWORK_VARIABLES.filter((name) => trusted(name) === undefined).flatMap((name) =>
      ignored(name, variables.all(name)),
    ),
    timeoutMs: options.timeoutMs,
    oneMeaning: options.requireEsc === true,
    sessionMs: options.sessionMs,
  };
  // Files that decide which environment the caller's own credential opens.
  const needsOrganization = settings.environments.some((one) => one.organization === undefined);
  const choices = [names, ...(needsOrganization && organization !== undefined ? [organization] : [])];
  const credential = search.setting.name;
  const notices = choices.flatMap(({ name, file }): readonly Notice[] =>
    file === undefined || search.setting.file !== undefined
      ? []
      : [{ kind: "environment-by-file", name, file, credential }],
  );
  return { access: { kind: "on", settings }, notices: [...ignored("PULUMI_BACKEND_URL", ignoredBackends), ...notices] };
}

/** Returns the network settings of the caller alone, for requests to other hosts than ESC. */
export function callersNetwork(environment: Environment): NetworkSettings {
  const variables = new Variables(environment, []);
  return networkBy((name) => variables.findInProcess(name), environment);
}

function networkBy(trusted: (name: string) => Setting | undefined, environment: Environment): NetworkSettings {
  const extraCertificates = trusted("NODE_EXTRA_CA_CERTS");
  const fromFiles = namesFromFiles(environment);
  const isRuntimeTrusted = !TRUST_OF_RUNTIME.some((name) => fromFiles.has(name));
  return {
    // Lower case first, as in curl.
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

function ignored(name: string, settings: readonly Setting[]): readonly Notice[] {
  const files = new Set(settings.flatMap(({ file }) => file ?? []));
  return Array.from(files, (file) => ({ kind: "setting-ignored", name, file }));
}
