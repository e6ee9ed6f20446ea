import type { Contract } from "../contract/model.ts";
import type { Notice } from "../core/model.ts";
import type { EscAccess, EscOptions } from "../esc/settings/access.ts";
import { isEscMentioned } from "../esc/settings/own-variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { AccessRequest } from "./assessment.ts";

/**
 * Finds the settings for ESC. What a found file names is opened only with the user's consent; without it no request is sent.
 *
 * @param contract undefined if it may not name the environment
 * @param options those of the command, in place of the settings
 * @throws SophiaError (esc-settings, 125) as `escAccess` does
 */
export async function accessToEsc(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
  options?: Partial<EscOptions>,
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[] }> {
  const { settings, environment } = request;
  if (options === undefined && contract?.environment === undefined && !isEscMentioned(environment, dotenv.layers)) {
    return { access: { kind: "off" }, notices: [] };
  }
  const { escAccess } = await import("../esc/settings/access.ts");
  const asked = { ...settings, contract: contract?.environment, ...options };
  const { access, notices } = escAccess(environment, dotenv.layers, asked);
  if (access.kind !== "proposed") return { access, notices };
  const { withConsent } = await import("./consent.ts");
  const decided = await withConsent(access, request, dotenv, contract);
  return { ...decided, notices: [...notices, ...decided.notices] };
}
