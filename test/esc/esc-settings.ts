/**
 * Makes settings for reading ESC from an access, as if the user had consented, for tests that are not about consents.
 */
import type { Environment } from "../../src/core/model.ts";
import { runTokenCommand } from "../../src/esc/auth/token-command.ts";
import type { EscSettings, FoundAccess } from "../../src/esc/settings/access-settings.ts";

/**
 * Returns the settings of an access. If ESC is on and its credential is a token command, the command is run in `environment`, and
 * the settings have the token that it prints. @throws Error if ESC is neither on nor proposed
 */
export async function resolveEscSettings(access: FoundAccess, environment: Environment): Promise<EscSettings> {
  if (access.kind !== "on" || access.settings.credential.kind !== "token-command") return requireEscSettings(access);
  const token = await runTokenCommand(access.settings.credential.command, environment);
  return { ...access.settings, credential: { kind: "token", token } };
}

/**
 * Returns the settings of an access whose token is known already.
 *
 * @throws Error if ESC is neither on nor proposed, or a command prints the token
 */
export function requireEscSettings(access: FoundAccess): EscSettings {
  if (access.kind !== "on" && access.kind !== "proposed") throw new Error(`ESC is ${access.kind}`);
  const { credential, ...settings } = access.settings;
  if (credential.kind === "token-command") throw new Error("the token is not printed yet");
  return { ...settings, credential };
}
