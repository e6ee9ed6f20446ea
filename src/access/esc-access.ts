/**
 * Finds out how this run opens ESC: the settings, the credential (a token, a command that prints one, or the login of
 * Pulumi's CLI), and the user's consent.
 */
import type { Contract } from "../contract/contract-model.ts";
import type { Environment, Notice } from "../core/model.ts";
import { withTokenOfCommand } from "../esc/auth/token.ts";
import { escAccess, type EscAccess, type EscOptions } from "../esc/settings/access-settings.ts";
import { findCredential } from "../esc/settings/credentials.ts";
import { VariableLookup } from "../esc/settings/variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { LOGIN } from "./login-words.ts";
import type { AccessRequest } from "./access-request.ts";

const TOKEN_COMMAND = "ESC_TOKEN_COMMAND";

/**
 * Finds the settings for ESC. An environment that a found file names is opened only with the user's consent: before that,
 * no request is sent.
 *
 * @param contract undefined if no contract may name the environment
 * @param options the options of the command, which have precedence over the settings
 * @throws SophiaError (esc-settings, 125) as `escAccess` does; (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function accessToEsc(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
  options?: Partial<EscOptions>,
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[] }> {
  const { settings, environment } = request;
  const escOptions = { ...settings, contract: contract?.environment, ...options };
  let oneMeaning: string | undefined;
  let decision = escAccess(environment, dotenv.layers, escOptions);
  const notices: Notice[] = [];
  if (options?.token !== undefined && hasNoCredential(environment, dotenv)) {
    // The command has a token of its own, and starts would use the login: the command must change the same service as
    // starts read.
    const { serviceOfLogin } = await import("./pulumi-login.ts");
    const { chosen } = serviceOfLogin(environment, settings.insecureHttp);
    if (chosen !== undefined) decision = escAccess(environment, dotenv.layers, { ...escOptions, backend: chosen.url });
  }
  if (decision.access.kind === "incomplete" && decision.access.missing === "ESC_TOKEN") {
    const { findLogin } = await import("./pulumi-login.ts");
    const { found: login, problem } = findLogin(environment, settings.insecureHttp);
    if (problem !== undefined) notices.push({ kind: "remark", text: `${LOGIN} is not used: ${problem}` });
    if (login !== undefined) {
      const token = { name: LOGIN, value: login.token.reveal() };
      decision = escAccess(environment, dotenv.layers, { ...escOptions, token, backend: login.backend });
    }
  }
  notices.unshift(...decision.notices);
  const { access } = decision;
  if (access.kind === "proposed") {
    const { decideConsent } = await import("./consent.ts");
    const consent = await decideConsent(access.proposal, request, dotenv, contract);
    notices.push(...consent.notices);
    if (consent.unconsentedAccess !== undefined) return { access: consent.unconsentedAccess, notices };
    ({ limitingVariable: oneMeaning } = consent);
  } else if (access.kind !== "on") return { access, notices };
  const escSettings = oneMeaning === undefined ? access.settings : { ...access.settings, oneMeaning };
  return { access: { kind: "on", settings: await withTokenOfCommand(escSettings, environment) }, notices };
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
export async function accessAgain(
  { settings }: Extract<EscAccess, { readonly kind: "on" }>,
  { environment, settings: { insecureHttp } }: Pick<AccessRequest, "environment" | "settings">,
): Promise<Extract<EscAccess, { readonly kind: "on" }>> {
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
  return { kind: "on", settings: await withTokenOfCommand({ ...settings, credential }, environment) };
}
