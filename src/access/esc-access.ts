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
 * Finds the settings for ESC. What a found file names is opened only with the user's consent; without it no request is sent.
 *
 * @param contract undefined if it may not name the environment
 * @param options those of the command, in place of the settings
 * @throws SophiaError (esc-settings, 125) as `escAccess` does; (esc-credential, 125) if `ESC_TOKEN_COMMAND` fails
 */
export async function accessToEsc(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
  options?: Partial<EscOptions>,
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[] }> {
  const { settings, environment } = request;
  const asked = { ...settings, contract: contract?.environment, ...options };
  let oneMeaning: string | undefined;
  let found = escAccess(environment, dotenv.layers, asked);
  const notices: Notice[] = [];
  if (options?.token !== undefined && hasNoCredential(environment, dotenv)) {
    // Starts read by the login: what a command changes with another token is of the same service.
    const { serviceOfLogin } = await import("./pulumi-login.ts");
    const { chosen } = serviceOfLogin(environment, settings.insecureHttp);
    if (chosen !== undefined) found = escAccess(environment, dotenv.layers, { ...asked, backend: chosen.url });
  }
  if (found.access.kind === "incomplete" && found.access.missing === "ESC_TOKEN") {
    const { findLogin } = await import("./pulumi-login.ts");
    const { found: login, problem } = findLogin(environment, settings.insecureHttp);
    if (problem !== undefined) notices.push({ kind: "remark", text: `${LOGIN} is not used: ${problem}` });
    if (login !== undefined) {
      const token = { name: LOGIN, value: login.token.reveal() };
      found = escAccess(environment, dotenv.layers, { ...asked, token, backend: login.backend });
    }
  }
  notices.unshift(...found.notices);
  const { access } = found;
  if (access.kind === "proposed") {
    const { withConsent } = await import("./consent.ts");
    const decided = await withConsent(access.proposal, request, dotenv, contract);
    notices.push(...decided.notices);
    if (decided.refused !== undefined) return { access: decided.refused, notices };
    ({ oneMeaning } = decided);
  } else if (access.kind !== "on") return { access, notices };
  const chosen = oneMeaning === undefined ? access.settings : { ...access.settings, oneMeaning };
  return { access: { kind: "on", settings: await withTokenOfCommand(chosen, environment) }, notices };
}

function hasNoCredential(environment: Environment, { layers }: DotenvReading): boolean {
  return findCredential(new VariableLookup(environment, layers)).kind === "none";
}

/**
 * Returns the same access with the token of now: that of a command or a login may have expired.
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
    const { found } = findLogin(environment, insecureHttp);
    // The user may have chosen the login of another service meanwhile.
    if (found === undefined || found.backend !== settings.backend) return { kind: "on", settings };
    return { kind: "on", settings: { ...settings, credential: { kind: "token", token: found.token, label: LOGIN } } };
  }
  const command = name === TOKEN_COMMAND ? new VariableLookup(environment, []).findInProcess(TOKEN_COMMAND) : undefined;
  const credential =
    command === undefined ? settings.credential : ({ kind: "token-command", command: command.value } as const);
  return { kind: "on", settings: await withTokenOfCommand({ ...settings, credential }, environment) };
}
