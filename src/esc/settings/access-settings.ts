import type { Environment, Layer, Notice } from "../../core/model.ts";
import type { NetworkSettings } from "../../network/network-settings.ts";
import { DEFAULT_BACKEND, parseBackend } from "./backend.ts";
import {
  type Credential,
  type TokenCommand,
  findCredential,
  givenCredential,
  ignoredOrganization,
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
import { isTrustedFor, labelOf, type Setting, Variables } from "./variables.ts";

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
  /** The environments of the contract, for a start without `ESC_ENV`. */
  readonly contract?: NamedEnvironments | undefined;
  /** Replaces the tokens of the environment and the files. */
  readonly token?: Setting;
  /** The service that has given the token, in place of Pulumi Cloud. */
  readonly backend?: string;
}

interface NamedEnvironments {
  readonly names: readonly string[];
  readonly file: string;
  /** Its author may be anyone: the user has not named the file. */
  readonly isFound: boolean;
}

/** The name of the contract's setting. */
export const CONTRACT_SETTING = '"environment"';

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
  /** The option or variable by which a name of two parts has no second meaning. */
  readonly oneMeaning: string | undefined;
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
      /** Only the contract names an environment, which other starts may do without. */
      readonly isByContract?: true;
    }
  /** A file that was found names the environments, and the user has not allowed it to. */
  | {
      readonly kind: "unconsented";
      readonly proposal: Proposal;
      readonly why: "declined" | "not-asked" | "agent" | "unattended";
      readonly unplaced?: Unplaced | undefined;
    }
  | { readonly kind: "on"; readonly settings: EscSettings };

/** Environments that files choose for a credential from elsewhere. */
export interface Proposal {
  /** Full names, with `@` and the revision; of a name without an organization, which only the service knows, also what is written. */
  readonly environments: readonly string[];
  /** The second meanings of names of two parts, if they are no first ones. */
  readonly oldForms: readonly string[];
  /** The settings that choose them: of `.env` files, or of the contract. */
  readonly by: readonly Choice[];
  readonly credential: Pick<Setting, "name" | "file">;
}

/** Why the place of a file cannot be told, and no consent for it remembered: its path is not UTF-8, or an outer sophia-run read it. */
export type Unplaced = "path" | "outer";

export interface Choice {
  readonly name: string;
  readonly file: string;
}

/** `proposed`: nothing may be sent before `access/consent.ts` has made it `on`, or not. */
export type FoundAccess =
  | Exclude<EscAccess, { readonly kind: "unconsented" | "on" }>
  | { readonly kind: "on"; readonly settings: FoundSettings }
  | { readonly kind: "proposed"; readonly settings: FoundSettings; readonly proposal: Proposal };

/** Settings whose token a command may have yet to print. */
export type FoundSettings = Omit<EscSettings, "credential"> & { readonly credential: Credential | TokenCommand };

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
): { readonly access: FoundAccess; readonly notices: readonly Notice[] } {
  const variables = new Variables(environment, dotenv);
  const names = namesIn(variables, options);
  const byContract = names?.name === CONTRACT_SETTING ? options.contract : undefined;
  if (names !== undefined) refuseToken(names);
  const search = options.token === undefined ? findCredential(variables) : givenCredential(options.token);
  const commands = ignoredCommands(variables);
  if (search.kind !== "found") {
    if (search.kind === "none" && names === undefined) return { access: { kind: "off" }, notices: commands };
    const present = names === undefined ? "" : byContract === undefined ? names.name : labelOf(names);
    const parts = search.kind === "none" ? { present, missing: "ESC_TOKEN" } : search;
    const access = {
      ...parts,
      kind: "incomplete",
      ...(names === undefined ? {} : { names: names.value }),
      ...(search.kind === "none" && byContract !== undefined && { isByContract: true as const }),
    } as const;
    return { access, notices: [...commands, ...ignored("ESC_OIDC_ORG", ignoredOrganization(variables))] };
  }
  if (names === undefined) {
    const { name, value } = search.setting;
    const credential = { name, value: new Secret(value) };
    return { access: { kind: "incomplete", present: name, missing: "ESC_ENV", credential }, notices: commands };
  }
  // A file that names a token file does not hold the token itself.
  const tokenFile = search.setting.name === "ESC_TOKEN" ? search.setting.file : undefined;
  const isTrusted = (setting: Setting): boolean => isTrustedFor(setting, tokenFile);
  const trusted = (name: string): Setting | undefined => variables.all(name).find(isTrusted);

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
    network: networkBy(trusted, environment),
    ignoredNetwork: NETWORK_VARIABLES.filter((name) => trusted(name) === undefined).flatMap((name) =>
      ignored(name, variables.all(name)),
    ),
    timeoutMs: options.timeoutMs,
    oneMeaning: options.requireEsc === true ? "--require-esc" : undefined,
    sessionMs: options.sessionMs,
  };
  const notices = [...commands, ...ignored("PULUMI_BACKEND_URL", ignoredBackends)];
  // Files that decide which environment the credential opens, unless it is their own.
  const needsOrganization = settings.environments.some((one) => one.organization === undefined);
  const choices = [names, ...(needsOrganization && organization !== undefined ? [organization] : [])];
  const by = choices.flatMap(({ name, file }): readonly Choice[] =>
    file === undefined || file === tokenFile || (name === CONTRACT_SETTING && byContract?.isFound !== true)
      ? []
      : [{ name, file }],
  );
  if (by.length === 0) return { access: { kind: "on", settings }, notices };
  const meanings = settings.environments.map((name) => [
    ...((name.organization ?? settings.organization) === undefined ? [name.text] : []),
    ...candidates(name, settings.organization).map(formatVersion),
  ]);
  const firsts = new Set(meanings.map(([first]) => first));
  const environments = [...new Set(meanings.flat())];
  const oldForms = environments.filter((name) => !firsts.has(name));
  const proposal = { environments, oldForms, by, credential: settings.credentialFrom };
  return { access: { kind: "proposed", settings, proposal }, notices };
}

/** A file must not name a command to run. */
function ignoredCommands(variables: Variables): readonly Notice[] {
  return variables.all("ESC_TOKEN_COMMAND").flatMap((setting): readonly Notice[] => {
    const text = `${labelOf(setting)} is ignored (a file must not name a command); set it in the environment`;
    return setting.file === undefined ? [] : [{ kind: "remark", text }];
  });
}

function namesIn(variables: Variables, { environments, contract }: EscOptions): Setting | undefined {
  if (environments !== undefined) return { name: environments.option, value: environments.value };
  const byVariable = variables.find("ESC_ENV");
  if (byVariable !== undefined || contract === undefined) return byVariable;
  return { name: CONTRACT_SETTING, value: contract.names.join(","), file: contract.file };
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
