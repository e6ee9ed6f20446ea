/** The login of Pulumi's CLI, if the user has chosen it by `sophia-run login`. For people: it is personal and may write. */
import type { Environment } from "../core/model.ts";
import { isObject, parseObject } from "../core/json-object.ts";
import { printable } from "../core/text.ts";
import { parseBackend } from "../esc/settings/backend.ts";
import { Secret } from "../esc/settings/secret.ts";
import { VariableLookup } from "../esc/settings/variables.ts";
import { hasTerminal } from "../system/controlling-terminal.ts";
import { configFolder } from "../system/folders.ts";
import { readOwnFile } from "../system/own-file.ts";
import { within } from "../system/paths.ts";
import { pulumiCredentials } from "./pulumi-credentials.ts";
import { unattended } from "./unattended.ts";

const MAX_BYTES = 1_048_576;
/** The member of an encrypted file of the CLI (PULUMI_CREDENTIAL_STORE). */
const ENCRYPTED = "$pulumiSecureStore";

/** Returns why a login is not used here; undefined where it may be. */
export function unsuitable(environment: Environment): string | undefined {
  return unattended(environment) ?? (hasTerminal() ? undefined : "there is no controlling terminal");
}

/** Returns the file with the choice of `sophia-run login`. */
export function settingsFile(environment: Environment): string | undefined {
  const folder = configFolder(environment);
  return folder === undefined ? undefined : within(folder, "settings.json");
}

/** Reads the service whose login the user has chosen. A file that another user could have written counts as absent. */
export function chosenBackend(environment: Environment): { readonly backend?: string; readonly problem?: string } {
  const path = settingsFile(environment);
  if (path === undefined) return {};
  const read = readOwnFile(path, MAX_BYTES);
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

export type Credentials =
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "absent" | "encrypted"; readonly path: string }
  | { readonly kind: "unusable"; readonly problem: string };

/** Reads the token of a service from the CLI's file. @param backend undefined for the CLI's current one */
export function pulumiLogin(
  environment: Environment,
  backend: string | undefined,
): Credentials & { readonly backend?: string } {
  const path = pulumiCredentials(environment);
  if (path === undefined) return { kind: "unusable", problem: "there is no home folder, and PULUMI_HOME is not set" };
  const read = readOwnFile(path, MAX_BYTES);
  if ("problem" in read) return { kind: "unusable", problem: read.problem };
  if (read.text === undefined) return { kind: "absent", path };
  const document = parseObject(read.text);
  if (document === undefined)
    return { kind: "unusable", problem: `${printable(path)} has the wrong form; correct it, or remove it` };
  if (Object.hasOwn(document, ENCRYPTED)) return { kind: "encrypted", path };
  const { current, accessTokens, accounts } = document;
  const wanted = backend ?? (typeof current === "string" ? current : undefined);
  if (wanted === undefined) return { kind: "absent", path };
  const account = isObject(accounts) ? accounts[wanted] : undefined;
  const tokens = [
    isObject(account) ? account["accessToken"] : undefined,
    isObject(accessTokens) && accessTokens[wanted],
  ];
  const token = tokens.find((one) => typeof one === "string" && one !== "");
  return typeof token === "string"
    ? { kind: "token", token: new Secret(token), backend: wanted }
    : { kind: "absent", path, backend: wanted };
}

/** Returns the tokens of all logins in the CLI's file, as far as it can be read. */
export function pulumiTokens(environment: Environment): readonly string[] {
  const path = pulumiCredentials(environment);
  const read = path === undefined ? undefined : readOwnFile(path, MAX_BYTES);
  if (read === undefined || "problem" in read || read.text === undefined) return [];
  const { accessTokens, accounts } = parseObject(read.text) ?? {};
  const members = (part: unknown): readonly unknown[] => (isObject(part) ? Object.values(part) : []);
  const tokens = [
    ...members(accounts).map((account) => (isObject(account) ? account["accessToken"] : undefined)),
    ...members(accessTokens),
  ];
  return [...new Set(tokens.filter((token) => typeof token === "string"))];
}

export interface LoginSearch {
  readonly found?: { readonly token: Secret; readonly backend: string };
  /** The reason why a login that was chosen is not used, if the user can change that. */
  readonly problem?: string;
}

/** Finds the token of the login that was chosen, if it may be used here. @throws SophiaError (esc-settings, 125) for a malformed backend */
export function findLogin(environment: Environment, insecureHttp: boolean): LoginSearch {
  const { chosen, problem } = serviceOfLogin(environment, insecureHttp);
  if (problem !== undefined) return { problem };
  if (chosen === undefined) return {};
  const login = pulumiLogin(environment, chosen.backend);
  return login.kind === "token"
    ? { found: { token: login.token, backend: chosen.url } }
    : { problem: loginProblem(login, chosen.backend) };
}

interface ChosenService {
  /** As the CLI's file has it. */
  readonly backend: string;
  readonly url: string;
}

/** Finds the service whose login starts use here. @throws SophiaError (esc-settings, 125) for a malformed backend */
export function serviceOfLogin(
  environment: Environment,
  insecureHttp: boolean,
): { readonly chosen?: ChosenService; readonly problem?: string } {
  if (unsuitable(environment) !== undefined) return {};
  const { backend, problem } = chosenBackend(environment);
  if (problem !== undefined) return { problem };
  if (backend === undefined) return {};
  const url = parseBackend({ name: "the login's backend", value: backend }, insecureHttp);
  // Never to another service: neither by the caller's own setting, nor by one that a file made.
  const [other] = new VariableLookup(environment, []).all("PULUMI_BACKEND_URL");
  if (other !== undefined && (other.file !== undefined || parseBackend(other, insecureHttp) !== url)) return {};
  return { chosen: { backend, url } };
}

/** Words why there is no token of a login. */
export function loginProblem(login: Exclude<Credentials, { kind: "token" }>, backend: string): string {
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
