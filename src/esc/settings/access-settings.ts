/**
 * Finds the settings for reading ESC: which environments, by which credential, at which service. Files may set some of them,
 * but a file must not send a credential of another source to an address of its own.
 */
import type { Environment, Layer, Notice } from "../../core/model.ts";
import type { NetworkSettings } from "../../network/network-settings.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import {
  type Credential,
  type FoundCredential,
  type TokenCommand,
  findCredential,
  credentialOfCommand,
  findIgnoredOrganization,
} from "./credentials.ts";
import { namesFromFiles, TRUST_OF_RUNTIME } from "./from-files.ts";
import {
  candidates,
  type EnvironmentName,
  formatVersion,
  organizationIn,
  parseEnvironmentNames,
  refuseToken,
} from "./environment-names.ts";
import { Secret } from "./secret.ts";
import { isTrustedFor, labelOf, type Setting, VariableLookup } from "./variables.ts";

/** The service's default length of a session in milliseconds. Credentials that were minted for it may end with it. */
export const SESSION_MS = 3_600_000;

export interface EscOptions {
  readonly timeoutMs: number;
  readonly insecureHttp: boolean;
  /** Excludes the old meaning of a name of two parts, `org/env`. */
  readonly requireEsc?: boolean;
  readonly sessionMs?: number | undefined;
  /** Replaces the environments of `ESC_ENV`, together with the option that names them. */
  readonly environments?: { readonly value: string; readonly option: string };
  /** The environments that the contract names, for a start without `ESC_ENV`. */
  readonly contract?: NamedEnvironments | undefined;
  /** Replaces the tokens of the process environment and the files. */
  readonly token?: Setting;
  /** The service that has given `token`, in place of Pulumi Cloud. */
  readonly backend?: string;
}

interface NamedEnvironments {
  readonly names: readonly string[];
  readonly file: string;
  /** True if sophia-run found the file. Its author may be anyone, since the user has not named it. */
  readonly isFound: boolean;
}

/** The name of the contract's setting that names environments. */
export const CONTRACT_SETTING = '"environment"';

/** The settings for reading ESC, which were checked. Printing them shows no token. */
export interface EscSettings {
  readonly environments: readonly EnvironmentName[];
  /** The variable or option that names the environments. */
  readonly namedBy: string;
  readonly credential: Credential;
  /** The variable that holds the credential, and the file that sets it. */
  readonly credentialFrom: Pick<Setting, "name" | "file">;
  readonly backend: string;
  readonly organization?: string | undefined;
  readonly network: NetworkSettings;
  /** Notices of proxies and certificates of files that are ignored. They are reported if ESC cannot be reached. */
  readonly ignoredNetwork: readonly Notice[];
  readonly timeoutMs: number;
  /** The option by which a name of two parts has only one meaning; undefined if it has two. */
  readonly oneMeaning: string | undefined;
  readonly sessionMs?: number | undefined;
}

const NETWORK_VARIABLES = [
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"],
  ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
].flat();

/** The access to ESC, or the reason why ESC is not read. */
export type EscAccess =
  | { readonly kind: "off" }
  /** A part of the settings is missing. */
  | {
      readonly kind: "incomplete";
      readonly present: string;
      readonly missing: string;
      readonly names?: string;
      /** The setting of the credential, if there is one. Its value may be a token, or the path of a file. */
      readonly credential?: { readonly name: string; readonly value: Secret };
      /** Set if only the contract names an environment. A start without ESC need not warn of that. */
      readonly isByContract?: true;
    }
  /** A file that was found names the environments, and the user has not allowed it to. */
  | {
      readonly kind: "unconsented";
      readonly proposal: Proposal;
      readonly why: "declined" | "not-asked" | "agent" | "unattended";
      readonly unplaced?: UnplacedReason | undefined;
    }
  | { readonly kind: "on"; readonly settings: EscSettings };

/** Environments that files choose for a credential from another source. Reading them needs the user's consent. */
export interface Proposal {
  /**
   * Full names, with `@` and the revision. Only the service knows the organization of a name without one, so such a name is
   * also listed as it is written.
   */
  readonly environments: readonly string[];
  /** The second meanings of names of two parts, except for those that are the first meaning of another name. */
  readonly oldForms: readonly string[];
  /** The settings that choose the environments: of `.env` files, or of the contract. */
  readonly by: readonly EnvironmentChoice[];
  readonly credential: Pick<Setting, "name" | "file">;
}

/**
 * The reason why a consent for a file cannot be remembered: its place is unknown. `path`: its path is not UTF-8. `outer`: an
 * outer sophia-run read the file.
 */
export type UnplacedReason = "path" | "outer";

/** A setting in a file that chooses environments. */
export interface EnvironmentChoice {
  readonly name: string;
  readonly file: string;
}

/** `proposed`: nothing may be sent until `access/consent.ts` has made it `on` or `unconsented`. */
export type FoundAccess =
  | Exclude<EscAccess, { readonly kind: "unconsented" | "on" }>
  | { readonly kind: "on"; readonly settings: FoundSettings }
  | { readonly kind: "proposed"; readonly settings: FoundSettings; readonly proposal: Proposal };

/** Settings whose token may have yet to be printed by a command. */
export type FoundSettings = Omit<EscSettings, "credential"> & { readonly credential: Credential | TokenCommand };

/**
 * Finds the settings for ESC. The process environment wins over the files. A backend, proxy or certificate file that a `.env`
 * file sets is used only for a token of the same file. Otherwise a cloned repository could have the user's token sent to a host
 * of its own.
 *
 * @throws SophiaError (esc-settings, 125) for malformed settings, if both an environment and a credential are set. A token in
 *   place of a name is always an error, because reports show the name.
 */
export function escAccess(
  environment: Environment,
  dotenv: readonly Layer[],
  options: EscOptions,
): { readonly access: FoundAccess; readonly notices: readonly Notice[] } {
  const variables = new VariableLookup(environment, dotenv);
  const names = namesIn(variables, options);
  const byContract = names?.name === CONTRACT_SETTING ? options.contract : undefined;
  if (names !== undefined) refuseToken(names);
  const search = options.token === undefined ? findCredential(variables) : credentialOfCommand(options.token);
  const ignoredCommandNotices = noticesOfIgnoredCommands(variables);
  if (search.kind !== "found") {
    const access = accessWithoutCredential(search, names, byContract !== undefined);
    const ignored = access.kind === "off" ? [] : findIgnoredOrganization(variables);
    return { access, notices: [...ignoredCommandNotices, ...noticesOfIgnored("ESC_OIDC_ORG", ignored)] };
  }
  if (names === undefined) {
    const { name, value } = search.setting;
    const credential = { name, value: new Secret(value) };
    return {
      access: { kind: "incomplete", present: name, missing: "ESC_ENV", credential },
      notices: ignoredCommandNotices,
    };
  }
  // Only ESC_TOKEN holds the token itself. A file that names a token file (ESC_TOKEN_FILE) does not know the token.
  const tokenFile = search.setting.name === "ESC_TOKEN" ? search.setting.file : undefined;
  const isTrusted = (setting: Setting): boolean => isTrustedFor(setting, tokenFile);
  const findTrusted = (name: string): Setting | undefined => variables.all(name).find(isTrusted);

  const backends = variables.all("PULUMI_BACKEND_URL");
  const backend = backends.find(isTrusted);
  const ignoredBackends = backend === undefined ? backends : backends.slice(0, backends.indexOf(backend));
  const organization = variables.find("ESC_ORG") ?? variables.find("PULUMI_DEFAULT_ORGANIZATION");
  const settings: FoundSettings = {
    environments: parseEnvironmentNames(names),
    namedBy: names.name,
    credential: search.credential(),
    credentialFrom: { name: search.setting.name, file: search.setting.file },
    backend: backend === undefined ? (options.backend ?? DEFAULT_BACKEND) : parseBackend(backend, options.insecureHttp),
    organization: organization === undefined ? undefined : organizationIn(organization),
    network: networkBy(findTrusted, environment),
    ignoredNetwork: NETWORK_VARIABLES.filter((name) => findTrusted(name) === undefined).flatMap((name) =>
      noticesOfIgnored(name, variables.all(name)),
    ),
    timeoutMs: options.timeoutMs,
    oneMeaning: options.requireEsc === true ? "--require-esc" : undefined,
    sessionMs: options.sessionMs,
  };
  const notices = [...ignoredCommandNotices, ...noticesOfIgnored("PULUMI_BACKEND_URL", ignoredBackends)];
  // A file needs the user's consent if it decides which environment the credential opens, unless the credential is its own.
  const needsOrganization = settings.environments.some((name) => name.organization === undefined);
  const choices = [names, ...(needsOrganization && organization !== undefined ? [organization] : [])];
  const by = choices.flatMap(({ name, file }): readonly EnvironmentChoice[] => {
    const isByNamedContract = name === CONTRACT_SETTING && byContract?.isFound !== true;
    return file === undefined || file === tokenFile || isByNamedContract ? [] : [{ name, file }];
  });
  if (by.length === 0) return { access: { kind: "on", settings }, notices };
  return { access: { kind: "proposed", settings, proposal: proposalFor(settings, by) }, notices };
}

/** Returns the access if no credential is complete: `off` if no environment is named either; otherwise what is missing. */
function accessWithoutCredential(
  search: Exclude<FoundCredential, { readonly kind: "found" }>,
  names: Setting | undefined,
  isByContract: boolean,
): Extract<FoundAccess, { readonly kind: "off" | "incomplete" }> {
  if (search.kind === "incomplete") return { ...search, ...(names === undefined ? {} : { names: names.value }) };
  if (names === undefined) return { kind: "off" };
  const present = isByContract ? labelOf(names) : names.name;
  const access = { kind: "incomplete", present, missing: "ESC_TOKEN", names: names.value } as const;
  return isByContract ? { ...access, isByContract } : access;
}

/** Returns the environments of the settings with all their meanings, for the user's consent. */
function proposalFor(settings: FoundSettings, by: readonly EnvironmentChoice[]): Proposal {
  const meanings = settings.environments.map((name) => [
    ...((name.organization ?? settings.organization) === undefined ? [name.text] : []),
    ...candidates(name, settings.organization).map(formatVersion),
  ]);
  const firstMeanings = new Set(meanings.map(([first]) => first));
  const environments = [...new Set(meanings.flat())];
  const oldForms = environments.filter((name) => !firstMeanings.has(name));
  return { environments, oldForms, by, credential: settings.credentialFrom };
}

/** Returns a notice for each file that sets `ESC_TOKEN_COMMAND`: a file must not name a command to run. */
function noticesOfIgnoredCommands(variables: VariableLookup): readonly Notice[] {
  return variables.all("ESC_TOKEN_COMMAND").flatMap((setting): readonly Notice[] => {
    const text = `${labelOf(setting)} is ignored (a file must not name a command); set it in the environment`;
    return setting.file === undefined ? [] : [{ kind: "remark", text }];
  });
}

/** Returns the setting that names the environments: of an option, of `ESC_ENV`, or of the contract. */
function namesIn(variables: VariableLookup, { environments, contract }: EscOptions): Setting | undefined {
  if (environments !== undefined) return { name: environments.option, value: environments.value };
  const byVariable = variables.find("ESC_ENV");
  if (byVariable !== undefined || contract === undefined) return byVariable;
  return { name: CONTRACT_SETTING, value: contract.names.join(","), file: contract.file };
}

/** Returns the network settings of the caller alone, for requests to hosts other than ESC. */
export function callersNetwork(environment: Environment): NetworkSettings {
  const variables = new VariableLookup(environment, []);
  return networkBy((name) => variables.findInProcess(name), environment);
}

function networkBy(findTrusted: (name: string) => Setting | undefined, environment: Environment): NetworkSettings {
  const extraCertificates = findTrusted("NODE_EXTRA_CA_CERTS");
  const fromFiles = namesFromFiles(environment);
  const isRuntimeTrusted = !TRUST_OF_RUNTIME.some((name) => fromFiles.has(name));
  return {
    // The names in lower case win, as in curl.
    httpsProxy: (findTrusted("https_proxy") ?? findTrusted("HTTPS_PROXY"))?.value,
    httpProxy: (findTrusted("http_proxy") ?? findTrusted("HTTP_PROXY"))?.value,
    noProxy: (findTrusted("no_proxy") ?? findTrusted("NO_PROXY"))?.value,
    certificateFile: findTrusted("SSL_CERT_FILE")?.value,
    extraCertificateFile: extraCertificates?.value,
    extraCertificatesLoaded:
      isRuntimeTrusted && extraCertificates !== undefined && extraCertificates.file === undefined,
    isRuntimeTrusted,
  };
}

/** Returns a notice for each file whose setting is ignored. */
function noticesOfIgnored(name: string, settings: readonly Setting[]): readonly Notice[] {
  const files = new Set(settings.flatMap(({ file }) => file ?? []));
  return Array.from(files, (file) => ({ kind: "setting-ignored", name, file }));
}
