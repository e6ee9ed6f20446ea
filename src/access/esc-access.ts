/**
 * Finds out how this run opens ESC: the settings, the credential (a token, a command that prints one, or the login of
 * Pulumi's CLI), and the user's consent.
 */
import type { Contract } from "../contract/contract-model.ts";
import type { Environment, Notice } from "../core/model.ts";
import { withTokenOfCommand } from "../esc/auth/token.ts";
import {
  findAccessSettings,
  type EscAccess,
  type EscOptions,
  type FoundSettings,
} from "../esc/settings/access-settings.ts";
import { findCredential } from "../esc/settings/credentials.ts";
import { VariableLookup } from "../esc/settings/variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { LOGIN } from "./login-words.ts";
import type { AccessRequest } from "./access-request.ts";

const TOKEN_COMMAND = "ESC_TOKEN_COMMAND";

/** An access by which ESC can be read. */
type OpenAccess = Extract<EscAccess, { readonly kind: "on" }>;

/** An access, and what the user must be told about it. */
interface AccessDecision {
  readonly access: EscAccess;
  readonly notices: readonly Notice[];
}

/**
 * Finds the settings for ESC. An environment that a found file names is opened only with the user's consent: before that,
 * no request is sent.
 *
 * @param contract undefined if no contract may name the environment
 * @param options the options of the command, which have precedence over the settings
 * @throws SophiaError (esc-settings, 125) as `findAccessSettings` does; (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function resolveEscAccess(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
  options?: Partial<EscOptions>,
): Promise<AccessDecision> {
  const escOptions = { ...request.settings, contract: contract?.environment, ...options };
  const { access, notices } = await decideAccess(request, dotenv, escOptions, options?.token !== undefined);
  if (access.kind === "on") return { access: await withToken(access.settings, request), notices };
  if (access.kind !== "proposed") return { access, notices };
  const { obtainConsent } = await import("./consent.ts");
  const consent = await obtainConsent(access.proposal, request, dotenv, contract);
  const allNotices = [...notices, ...consent.notices];
  if (consent.refused !== undefined) return { access: consent.refused, notices: allNotices };
  const { oneMeaning } = consent;
  const settings = oneMeaning === undefined ? access.settings : { ...access.settings, oneMeaning };
  return { access: await withToken(settings, request), notices: allNotices };
}

/**
 * Decides on the access by the settings, and by the login of Pulumi's CLI if the settings name no credential.
 *
 * @param hasCommandToken true if the command has a token of its own
 */
async function decideAccess(
  { environment, settings: { insecureHttp } }: AccessRequest,
  dotenv: DotenvReading,
  escOptions: EscOptions,
  hasCommandToken: boolean,
): Promise<ReturnType<typeof findAccessSettings>> {
  let decision = findAccessSettings(environment, dotenv.layers, escOptions);
  if (hasCommandToken && hasNoCredential(environment, dotenv)) {
    // Starts would use the login. The command must change the same service as starts read.
    const { findServiceOfLogin } = await import("./pulumi-login.ts");
    const { chosen } = findServiceOfLogin(environment, insecureHttp);
    if (chosen !== undefined)
      decision = findAccessSettings(environment, dotenv.layers, { ...escOptions, backend: chosen.url });
  }
  const { access } = decision;
  if (access.kind !== "incomplete" || access.missing !== "ESC_TOKEN") return decision;
  const { findLogin } = await import("./pulumi-login.ts");
  const { found: login, problem } = findLogin(environment, insecureHttp);
  if (login !== undefined) {
    const token = { name: LOGIN, value: login.token.reveal() };
    return findAccessSettings(environment, dotenv.layers, { ...escOptions, token, backend: login.backend });
  }
  if (problem === undefined) return decision;
  return { access, notices: [...decision.notices, { kind: "remark", text: `${LOGIN} is not used: ${problem}` }] };
}

/** Returns the access with these settings, with the token that `ESC_TOKEN_COMMAND` prints if that is the credential. */
async function withToken(
  settings: FoundSettings,
  { environment }: Pick<AccessRequest, "environment">,
): Promise<OpenAccess> {
  return { kind: "on", settings: await withTokenOfCommand(settings, environment) };
}

/** Returns true if neither the process environment nor a file has a credential for ESC. */
function hasNoCredential(environment: Environment, { layers }: DotenvReading): boolean {
  return findCredential(new VariableLookup(environment, layers)).kind === "none";
}

/**
 * Returns the access with a new token, because the token of a command or a login may have expired.
 *
 * @throws SophiaError (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function renewEscAccess(
  { settings }: OpenAccess,
  { environment, settings: { insecureHttp } }: Pick<AccessRequest, "environment" | "settings">,
): Promise<OpenAccess> {
  const { name } = settings.credentialFrom;
  if (name === LOGIN) {
    const { findLogin } = await import("./pulumi-login.ts");
    const { found: login } = findLogin(environment, insecureHttp);
    // The user may have chosen the login of another service in the meantime. Its token must not be sent to this service.
    if (login === undefined || login.backend !== settings.backend) return { kind: "on", settings };
    return { kind: "on", settings: { ...settings, credential: { kind: "token", token: login.token, label: LOGIN } } };
  }
  const command = name === TOKEN_COMMAND ? new VariableLookup(environment, []).findInProcess(TOKEN_COMMAND) : undefined;
  const credential =
    command === undefined ? settings.credential : ({ kind: "token-command", command: command.value } as const);
  return withToken({ ...settings, credential }, { environment });
}
