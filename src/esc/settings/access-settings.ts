/**
 * Finds the settings by which a run opens Pulumi ESC: the names of the ESC environments, the credential, and the address of the
 * service. `findAccessSettings` looks them up in the process environment, in `.env` files and in the contract, and sends nothing:
 *
 *     ESC_ENV=acme/sophia/dev  ESC_TOKEN=pul-…     { kind: "on" }: ESC may be opened
 *     ESC_ENV=acme/sophia/dev                      { kind: "incomplete", present: "ESC_ENV", missing: "ESC_TOKEN" }
 *     ESC_TOKEN=pul-…, and ESC_ENV in `.env`       { kind: "proposed" }: the user must consent to what the file chooses
 *
 * A file may set some of the settings, but a file of a cloned repository must not decide where the user's token is sent.
 */
import type { Environment, Layer, Notice } from "../../core/model.ts";
import type { NetworkSettings } from "../../network/network-settings.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import {
  type Credential,
  type FoundCredential,
  type TokenCommand,
  findCredential,
  createTokenCredential,
  findIgnoredOrganization,
} from "./credentials.ts";
import { namesFromFiles, TRUST_OF_RUNTIME } from "./from-files.ts";
import {
  listMeanings,
  type EnvironmentName,
  formatVersion,
  parseOrganization,
  parseEnvironmentNames,
  refuseToken,
} from "./environment-names.ts";
import { Secret } from "./secret.ts";
import { isTrustedFor, labelOf, type Setting, VariableLookup } from "./variables.ts";

/** The length of a session of ESC, in milliseconds, if the request names none. Credentials that ESC mints may expire with it. */
export const SESSION_MS = 3_600_000;

/** The options of a command that decide how ESC is opened. */
export interface EscOptions {
  /** The limit on the time of all requests to ESC together (`--timeout`). */
  readonly timeoutMs: number;
  /** Allows a service at an `http` address on another machine. */
  readonly insecureHttp: boolean;
  /** True with `--require-esc`. A name of two parts is then never opened in its old form, `organization/environment`. */
  readonly requireEsc?: boolean;
  /** The length of the session; undefined for the service's default, `SESSION_MS`. */
  readonly sessionMs?: number | undefined;
  /** Replaces the environments of `ESC_ENV`, together with the option that names them. */
  readonly environments?: { readonly value: string; readonly option: string };
  /** The environments that the contract names. They are used if `ESC_ENV` is not set. */
  readonly contract?: EnvironmentsOfContract | undefined;
  /** Replaces the credentials of the process environment and of files. */
  readonly token?: Setting;
  /** The address of the service that issued `token`; absent for Pulumi Cloud. `PULUMI_BACKEND_URL` has precedence. */
  readonly backend?: string;
}

interface EnvironmentsOfContract {
  readonly names: readonly string[];
  readonly file: string;
  /** True if sophia-run found the file by a search. The file may come with a cloned repository, since the user has not named it. */
  readonly isFound: boolean;
}

/** The name of the contract's setting that names environments. */
export const CONTRACT_SETTING = '"environment"';

/** The checked settings by which ESC is opened. Printing them shows no token, because the token is a `Secret`. */
export interface EscSettings {
  readonly environments: readonly EnvironmentName[];
  /** The variable or option that names the environments. */
  readonly namedBy: string;
  readonly credential: Credential;
  /** The variable that holds the credential, and the file that sets it. */
  readonly credentialFrom: Pick<Setting, "name" | "file">;
  /** The address of the service, without a trailing slash. */
  readonly backend: string;
  /** The organization of names without one; undefined if the service must be asked for the user's default organization. */
  readonly organization?: string | undefined;
  readonly network: NetworkSettings;
  /**
   * A notice for each proxy or certificate file that is ignored, because a file sets it that is not trusted. Shown if ESC cannot be
   * reached.
   */
  readonly ignoredNetwork: readonly Notice[];
  readonly timeoutMs: number;
  /** The option or variable that excludes the old form of a name; undefined if both meanings are tried. */
  readonly oneMeaning: string | undefined;
  readonly sessionMs?: number | undefined;
}

/** The variables that decide how a connection is made, and which certificates are trusted. `findNetworkSettings` reads them. */
const NETWORK_VARIABLES = [
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"],
  ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"],
].flat();

/** The settings by which ESC is opened, or the reason why it is not opened. */
export type EscAccess =
  /** Neither an environment nor a credential is set: the user does not use ESC. */
  | { readonly kind: "off" }
  /** A setting is missing: only an environment or only a credential is set, or only one of the two settings of an ID token. */
  | {
      readonly kind: "incomplete";
      /** The name of the setting that is set, for messages. */
      readonly present: string;
      /** The name of the setting that the user must add. */
      readonly missing: string;
      /** The value of the setting that names the environments, if there is one. */
      readonly names?: string;
      /** The setting of the credential, if there is one. Its value may be a token, or the path of a file. */
      readonly credential?: { readonly name: string; readonly value: Secret };
      /** Set if only the contract names an environment. A start without ESC need not warn of that. */
      readonly isByContract?: true;
    }
  /** A file that sophia-run found names the environments, and the user has not allowed the file to. */
  | {
      readonly kind: "unconsented";
      readonly proposal: Proposal;
      /**
       * `declined`: the user refused. `not-asked`: the command does not ask, or there is no terminal. `agent`: a coding agent
       * cannot be asked. `unattended`: no person starts this process, as in CI.
       */
      readonly why: "declined" | "not-asked" | "agent" | "unattended";
      readonly unplaced?: UnplacedReason | undefined;
    }
  | { readonly kind: "on"; readonly settings: EscSettings };

/** Environments that files choose for a credential from another source. Reading them needs the user's consent. */
export interface Proposal {
  /**
   * Full names, with `@` and the revision. If only the service knows the organization of a name, the name is listed as the file
   * writes it.
   */
  readonly environments: readonly string[];
  /** The environments that can be opened only by the old form of a name, `organization/environment`. */
  readonly oldForms: readonly string[];
  /** The settings in files that choose the environments. */
  readonly choices: readonly EnvironmentChoice[];
  readonly credential: Pick<Setting, "name" | "file">;
}

/**
 * The reason why a consent for a file cannot be remembered: the path of the file is not known exactly. `path`: it is not UTF-8.
 * `outer`: an outer sophia-run read the file, and passed on only the variables.
 */
export type UnplacedReason = "path" | "outer";

/** A setting in a file that chooses environments. */
export interface EnvironmentChoice {
  readonly name: string;
  readonly file: string;
}

/**
 * The access before the user was asked for consent. If the kind is `proposed`, no request may be sent until `access/consent.ts` has
 * turned the access into one of the kind `on` or `unconsented`.
 */
export type FoundAccess =
  | Exclude<EscAccess, { readonly kind: "unconsented" | "on" }>
  | { readonly kind: "on"; readonly settings: FoundSettings }
  | { readonly kind: "proposed"; readonly settings: FoundSettings; readonly proposal: Proposal };

/** Settings whose credential may be a command that has not run yet (`ESC_TOKEN_COMMAND`). */
export type FoundSettings = Omit<EscSettings, "credential"> & { readonly credential: Credential | TokenCommand };

/** Finds a setting that may decide where the credential is sent; undefined if only files that are not trusted set it. */
type FindTrusted = (name: string) => Setting | undefined;

/** The settings of a run that has both an environment and a credential, before they are parsed. */
interface CompleteSettings {
  readonly names: Setting;
  readonly credential: Extract<FoundCredential, { readonly kind: "found" }>;
  /** The organization of names without one, if a variable sets it. */
  readonly organization: Setting | undefined;
}

/**
 * Finds the settings for ESC. The process environment wins over the files. A backend, proxy or certificate file that a `.env`
 * file sets is used only for a token of the same file. Otherwise a cloned repository could have the user's token sent to a host
 * of its own.
 *
 * @throws SophiaError (esc-settings, 125) for malformed settings, if both an environment and a credential are set. A token in
 *   place of a name is always an error, because reports show the name.
 */
export function findAccessSettings(
  environment: Environment,
  dotenv: readonly Layer[],
  options: EscOptions,
): { readonly access: FoundAccess; readonly notices: readonly Notice[] } {
  const variables = new VariableLookup(environment, dotenv);
  const namesSetting = findNames(variables, options);
  if (namesSetting !== undefined) refuseToken(namesSetting);
  const credential = options.token === undefined ? findCredential(variables) : createTokenCredential(options.token);
  const commandNotices = createCommandNotices(variables);
  if (credential.kind !== "found") {
    const access = createAccessWithoutCredential(credential, namesSetting);
    const ignoredOrganizations = access.kind === "off" ? [] : findIgnoredOrganization(variables);
    return { access, notices: [...commandNotices, ...createIgnoredNotices("ESC_OIDC_ORG", ignoredOrganizations)] };
  }
  if (namesSetting === undefined) {
    return { access: createAccessWithoutNames(credential.setting), notices: commandNotices };
  }
  // Only ESC_TOKEN holds the token itself. A file that sets ESC_TOKEN_FILE does not know the token, so it is not trusted with it.
  const tokenFile = credential.setting.name === "ESC_TOKEN" ? credential.setting.file : undefined;
  const isTrusted = (setting: Setting): boolean => isTrustedFor(setting, tokenFile);
  const organization = variables.find("ESC_ORG") ?? variables.find("PULUMI_DEFAULT_ORGANIZATION");
  const complete: CompleteSettings = { names: namesSetting, credential, organization };
  const settings = parseSettings(complete, variables, isTrusted, environment, options);
  const ignoredBackends = settingsBeforeTrusted(variables.all("PULUMI_BACKEND_URL"), isTrusted);
  const notices = [...commandNotices, ...createIgnoredNotices("PULUMI_BACKEND_URL", ignoredBackends)];

  const needsOrganization = settings.environments.some((name) => name.organization === undefined);
  const choosingSettings =
    needsOrganization && organization !== undefined ? [namesSetting, organization] : [namesSetting];
  const choices = findChoicesThatNeedConsent(choosingSettings, tokenFile, options.contract);
  if (choices.length === 0) return { access: { kind: "on", settings }, notices };
  return { access: { kind: "proposed", settings, proposal: createProposal(settings, choices) }, notices };
}

/**
 * Parses the settings. `isTrusted` returns true for a setting that may decide where the credential is sent.
 * @throws SophiaError (esc-settings, 125) for the first malformed setting, in the order of the fields below
 */
function parseSettings(
  { names, credential, organization }: CompleteSettings,
  variables: VariableLookup,
  isTrusted: (setting: Setting) => boolean,
  environment: Environment,
  options: EscOptions,
): FoundSettings {
  const findTrusted: FindTrusted = (name) => variables.all(name).find(isTrusted);
  return {
    environments: parseEnvironmentNames(names),
    namedBy: names.name,
    credential: credential.parse(),
    credentialFrom: { name: credential.setting.name, file: credential.setting.file },
    backend: findBackend(findTrusted, options),
    organization: organization === undefined ? undefined : parseOrganization(organization),
    network: findNetworkSettings(findTrusted, environment),
    ignoredNetwork: NETWORK_VARIABLES.filter((name) => findTrusted(name) === undefined).flatMap((name) =>
      createIgnoredNotices(name, variables.all(name)),
    ),
    timeoutMs: options.timeoutMs,
    oneMeaning: options.requireEsc === true ? "--require-esc" : undefined,
    sessionMs: options.sessionMs,
  };
}

/** Returns the setting that names the environments: an option, `ESC_ENV`, or the contract. */
function findNames(variables: VariableLookup, { environments, contract }: EscOptions): Setting | undefined {
  if (environments !== undefined) return { name: environments.option, value: environments.value };
  const variable = variables.find("ESC_ENV");
  if (variable !== undefined || contract === undefined) return variable;
  return { name: CONTRACT_SETTING, value: contract.names.join(","), file: contract.file };
}

/** Returns the access if no credential is complete: `off` if no environment is named either; otherwise what is missing. */
function createAccessWithoutCredential(
  search: Exclude<FoundCredential, { readonly kind: "found" }>,
  namesSetting: Setting | undefined,
): Extract<FoundAccess, { readonly kind: "off" | "incomplete" }> {
  const names = namesSetting === undefined ? {} : { names: namesSetting.value };
  if (search.kind === "incomplete") return { ...search, ...names };
  if (namesSetting === undefined) return { kind: "off" };
  const incomplete = { kind: "incomplete", missing: "ESC_TOKEN", ...names } as const;
  return namesSetting.name === CONTRACT_SETTING
    ? { ...incomplete, present: labelOf(namesSetting), isByContract: true }
    : { ...incomplete, present: namesSetting.name };
}

/** Returns the access if there is a credential, but nothing names an environment. */
function createAccessWithoutNames({ name, value }: Setting): Extract<FoundAccess, { readonly kind: "incomplete" }> {
  return { kind: "incomplete", present: name, missing: "ESC_ENV", credential: { name, value: new Secret(value) } };
}

/** Returns the address of the service. @throws SophiaError (esc-settings, 125) for a malformed address */
function findBackend(findTrusted: FindTrusted, { backend, insecureHttp }: EscOptions): string {
  const setting = findTrusted("PULUMI_BACKEND_URL");
  return setting === undefined ? (backend ?? DEFAULT_BACKEND) : parseBackend(setting, insecureHttp);
}

/** Returns the settings that would win over the trusted one, and are ignored; all of them if none is trusted. */
function settingsBeforeTrusted(
  settings: readonly Setting[],
  isTrusted: (setting: Setting) => boolean,
): readonly Setting[] {
  const trustedIndex = settings.findIndex(isTrusted);
  return trustedIndex === -1 ? settings : settings.slice(0, trustedIndex);
}

/**
 * Returns the settings in files that choose which environment the credential opens. A file needs no consent if it has the token
 * itself, or if it is the contract that the user has named.
 */
function findChoicesThatNeedConsent(
  settings: readonly Setting[],
  tokenFile: string | undefined,
  contract: EscOptions["contract"],
): readonly EnvironmentChoice[] {
  return settings.flatMap(({ name, file }) => {
    const isByNamedContract = name === CONTRACT_SETTING && contract?.isFound !== true;
    return file === undefined || file === tokenFile || isByNamedContract ? [] : [{ name, file }];
  });
}

/**
 * Returns the proposal for the user's consent. It lists every environment that a name may mean, since any of them may be opened.
 */
function createProposal(settings: FoundSettings, choices: readonly EnvironmentChoice[]): Proposal {
  const meanings = settings.environments.map((name) => {
    const isOrganizationKnown = (name.organization ?? settings.organization) !== undefined;
    const fullNames = listMeanings(name, settings.organization).map(formatVersion);
    return isOrganizationKnown ? fullNames : [name.text, ...fullNames];
  });
  const firstMeanings = new Set(meanings.map(([first]) => first));
  const environments = [...new Set(meanings.flat())];
  const oldForms = environments.filter((name) => !firstMeanings.has(name));
  return { environments, oldForms, choices, credential: settings.credentialFrom };
}

/**
 * Returns a notice for each file that sets `ESC_TOKEN_COMMAND`. The setting is ignored, because a file must not have a command run.
 */
function createCommandNotices(variables: VariableLookup): readonly Notice[] {
  return variables.all("ESC_TOKEN_COMMAND").flatMap((setting): readonly Notice[] => {
    const text = `${labelOf(setting)} is ignored (a file must not name a command); set it in the environment`;
    return setting.file === undefined ? [] : [{ kind: "remark", text }];
  });
}

/** Returns the network settings that the caller itself has set. They are for requests to hosts other than ESC. */
export function readCallerNetwork(environment: Environment): NetworkSettings {
  const variables = new VariableLookup(environment, []);
  return findNetworkSettings((name) => variables.findInProcess(name), environment);
}

function findNetworkSettings(findTrusted: FindTrusted, environment: Environment): NetworkSettings {
  const extraCertificates = findTrusted("NODE_EXTRA_CA_CERTS");
  const fromFiles = namesFromFiles(environment);
  // Node.js has already read these variables. If a file set one of them, the authorities that Node.js trusts are not used.
  const isRuntimeTrusted = !TRUST_OF_RUNTIME.some((name) => fromFiles.has(name));
  return {
    // The names in lower case win, as in curl.
    httpsProxy: (findTrusted("https_proxy") ?? findTrusted("HTTPS_PROXY"))?.value,
    httpProxy: (findTrusted("http_proxy") ?? findTrusted("HTTP_PROXY"))?.value,
    noProxy: (findTrusted("no_proxy") ?? findTrusted("NO_PROXY"))?.value,
    certificateFile: findTrusted("SSL_CERT_FILE")?.value,
    extraCertificateFile: extraCertificates?.value,
    // Node.js loaded the file at its start if the process environment set the variable, but not if a `.env` file does.
    areExtraCertificatesLoaded:
      isRuntimeTrusted && extraCertificates !== undefined && extraCertificates.file === undefined,
    isRuntimeTrusted,
  };
}

/** Returns a notice for each file whose setting is ignored. */
function createIgnoredNotices(name: string, settings: readonly Setting[]): readonly Notice[] {
  const files = new Set(settings.flatMap(({ file }) => file ?? []));
  return Array.from(files, (file) => ({ kind: "setting-ignored", name, file }));
}
