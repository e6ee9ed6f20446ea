/**
 * Reads the login of Pulumi's CLI, which opens ESC if the user has chosen it by `sophia-run login`. Two files are read:
 *
 *     settings.json of sophia-run:      { "version": 1, "login": { "backend": "https://api.pulumi.com" } }
 *     credentials.json of the CLI:      { "accounts": { "https://api.pulumi.com": { "accessToken": "pul-…" } } }
 *
 * The token is personal and may change environments. So it is used only if a person starts sophia-run in a terminal.
 */
import type { Environment } from "../core/model.ts";
import { isObject, parseObject } from "../core/json-object.ts";
import { printable } from "../core/text.ts";
import { parseBackend } from "../esc/settings/backend.ts";
import { Secret } from "../esc/settings/secret.ts";
import { VariableLookup } from "../esc/settings/variables.ts";
import { hasTerminal } from "../system/controlling-terminal.ts";
import { configFolder } from "../system/folders.ts";
import { readUserFile } from "../system/user-file.ts";
import { within } from "../system/paths.ts";
import { findPulumiCredentialsFile } from "./pulumi-credentials.ts";
import { findUnattendedReason } from "./unattended.ts";

/** The limit on the size of each of the two files. */
const MAX_FILE_BYTES = 1_048_576;
/** The member that an encrypted file of the CLI has (PULUMI_CREDENTIAL_STORE). */
const ENCRYPTED_MEMBER = "$pulumiSecureStore";

/** Returns why this start does not use a login; undefined if it may. */
export function findReasonAgainstLogin(environment: Environment): string | undefined {
  return findUnattendedReason(environment) ?? (hasTerminal() ? undefined : "there is no controlling terminal");
}

/** Returns the file in which `sophia-run login` remembers the choice; undefined if there is no folder for it. */
export function settingsFilePath(environment: Environment): string | undefined {
  const folder = configFolder(environment);
  return folder === undefined ? undefined : within(folder, "settings.json");
}

/**
 * Reads for which service the user has chosen the login. A file that another user could have written is a problem, and is
 * not used.
 */
export function readChosenBackend(environment: Environment): { readonly backend?: string; readonly problem?: string } {
  const path = settingsFilePath(environment);
  if (path === undefined) return {};
  const read = readUserFile(path, MAX_FILE_BYTES);
  if ("problem" in read) return read;
  if (read.text === undefined) return {};
  const document = parseObject(read.text);
  const login = document?.["login"];
  if (document?.["version"] !== 1 || (login !== undefined && !isObject(login))) {
    return { problem: `${printable(path)} has the wrong form; correct it, or remove it` };
  }
  const backend = login?.["backend"];
  return typeof backend === "string" ? { backend } : {};
}

/** The result of reading the file of the CLI for one service. */
export type Credentials =
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "absent" | "encrypted"; readonly path: string }
  | { readonly kind: "unusable"; readonly problem: string };

/**
 * Reads the token of a service from the file of the CLI.
 *
 * @param backend undefined for the service that the CLI uses at present
 */
export function readPulumiToken(
  environment: Environment,
  backend: string | undefined,
): Credentials & { readonly backend?: string } {
  const path = findPulumiCredentialsFile(environment);
  if (path === undefined) return { kind: "unusable", problem: "there is no home folder, and PULUMI_HOME is not set" };
  const read = readUserFile(path, MAX_FILE_BYTES);
  if ("problem" in read) return { kind: "unusable", problem: read.problem };
  if (read.text === undefined) return { kind: "absent", path };
  const document = parseObject(read.text);
  if (document === undefined) {
    return { kind: "unusable", problem: `${printable(path)} has the wrong form; correct it, or remove it` };
  }
  if (Object.hasOwn(document, ENCRYPTED_MEMBER)) return { kind: "encrypted", path };
  const { current, accessTokens, accounts } = document;
  const service = backend ?? (typeof current === "string" ? current : undefined);
  if (service === undefined) return { kind: "absent", path };
  const account = isObject(accounts) ? accounts[service] : undefined;
  const tokenOfAccount = isObject(account) ? account["accessToken"] : undefined;
  // Older versions of the CLI write only `accessTokens`.
  const tokenOfService = isObject(accessTokens) ? accessTokens[service] : undefined;
  const token = [tokenOfAccount, tokenOfService].find((value) => typeof value === "string" && value !== "");
  return typeof token === "string"
    ? { kind: "token", token: new Secret(token), backend: service }
    : { kind: "absent", path, backend: service };
}

/** Returns the tokens of all logins in the file of the CLI; none if the file cannot be read. */
export function readAllPulumiTokens(environment: Environment): readonly string[] {
  const path = findPulumiCredentialsFile(environment);
  const read = path === undefined ? undefined : readUserFile(path, MAX_FILE_BYTES);
  if (read === undefined || "problem" in read || read.text === undefined) return [];
  const { accessTokens, accounts } = parseObject(read.text) ?? {};
  const valuesOf = (member: unknown): readonly unknown[] => (isObject(member) ? Object.values(member) : []);
  const tokens = [
    ...valuesOf(accounts).map((account) => (isObject(account) ? account["accessToken"] : undefined)),
    ...valuesOf(accessTokens),
  ];
  return [...new Set(tokens.filter((token) => typeof token === "string"))];
}

/** The result of {@link findLogin}. Both members are absent if no login was chosen, or if this start may not use it. */
export interface LoginSearch {
  readonly found?: { readonly token: Secret; readonly backend: string };
  /** The reason why the chosen login is not used, if the user can change it. */
  readonly problem?: string;
}

/**
 * Finds the token of the chosen login, if this start may use it.
 *
 * @throws SophiaError (esc-settings, 125) for a malformed backend
 */
export function findLogin(environment: Environment, insecureHttp: boolean): LoginSearch {
  const { chosen, problem } = findServiceOfLogin(environment, insecureHttp);
  if (problem !== undefined) return { problem };
  if (chosen === undefined) return {};
  const login = readPulumiToken(environment, chosen.backend);
  return login.kind === "token"
    ? { found: { token: login.token, backend: chosen.url } }
    : { problem: describeLoginProblem(login, chosen.backend) };
}

interface ChosenService {
  /** The service as the file of the CLI names it. */
  readonly backend: string;
  /** The checked address of the service. */
  readonly url: string;
}

/**
 * Finds the service of the chosen login, if this start may use the login.
 *
 * @throws SophiaError (esc-settings, 125) for a malformed backend
 */
export function findServiceOfLogin(
  environment: Environment,
  insecureHttp: boolean,
): { readonly chosen?: ChosenService; readonly problem?: string } {
  if (findReasonAgainstLogin(environment) !== undefined) return {};
  const { backend, problem } = readChosenBackend(environment);
  if (problem !== undefined) return { problem };
  if (backend === undefined) return {};
  const url = parseBackend({ name: "the login's backend", value: backend }, insecureHttp);
  // The token must not be sent to another service. So the login is not used if PULUMI_BACKEND_URL names another one, or if
  // a file that an outer sophia-run has read sets the variable.
  const [setting] = new VariableLookup(environment, []).all("PULUMI_BACKEND_URL");
  const isOtherService =
    setting !== undefined && (setting.file !== undefined || parseBackend(setting, insecureHttp) !== url);
  return isOtherService ? {} : { chosen: { backend, url } };
}

/** Describes why a login has no token, and what the user can do. */
export function describeLoginProblem(login: Exclude<Credentials, { kind: "token" }>, backend: string): string {
  switch (login.kind) {
    case "absent":
      return `there is no login to ${printable(backend)} in ${printable(login.path)}; pulumi login makes one`;
    case "encrypted":
      return (
        `${printable(login.path)} is encrypted, which only Pulumi's CLI can read: set ESC_TOKEN_COMMAND to a command that ` +
        "prints a token of your keychain, or have the CLI store it in clear: PULUMI_CREDENTIAL_STORE=plaintext pulumi login"
      );
    case "unusable":
      return login.problem;
  }
}
