import { statSync } from "node:fs";
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { readTokenFile } from "../../esc/auth/token-file.ts";
import { EscFault } from "../../esc/faults/fault.ts";
import type { Secret } from "../../masking/model.ts";
import { isNewToday } from "../../output/once-a-day.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { precede } from "../../resolve/precede.ts";
import { readSources, type Sources } from "../../resolve/read-sources.ts";
import { hiddenIn } from "../../resolve/secrets.ts";
import { attempt } from "../../system/errors.ts";
import { requestOf } from "../assessed.ts";

/** The greatest age of cached values for which ESC is not contacted. */
const FRESH_MS = 600_000;

/**
 * Returns the secrets of all sources, also of those that another source overrides: a tool may print the file that has them. The
 * contract is not checked.
 * @throws SophiaError (125)
 */
export async function secretsToMask(given: Settings, context: Context): Promise<readonly Secret[]> {
  const settings = { ...given, cacheFreshMs: given.cacheFreshMs ?? FRESH_MS };
  const preceded = await precede(await readSources(requestOf(settings, context)));
  const { sources } = preceded;
  warn(sources, settings.quiet, context);
  return [...hiddenIn(preceded), ...(await tokenOf(sources))];
}

/** Warns of secrets that are not known. @param quiet once a day */
function warn({ esc, accessNotices, notices }: Sources, quiet: boolean, context: Context): void {
  printNotices(context, { quiet }, [...accessNotices, ...notices]);
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  if (!quiet || isNewToday(`not masked: ${esc.failure.message}`, context.environment)) warnUnavailable(context, esc);
}

/** Returns the token that opens ESC. A pipe has it no more. */
async function tokenOf({ access }: Sources): Promise<readonly Secret[]> {
  if (access.kind !== "on") return [];
  const { credential } = access.settings;
  if (credential.kind === "token") return [{ name: "ESC_TOKEN", value: credential.token.reveal() }];
  if (credential.kind !== "token-file" || attempt(() => statSync(credential.path).isFile()) !== true) return [];
  try {
    return [{ name: "ESC_TOKEN_FILE", value: (await readTokenFile("ESC_TOKEN_FILE", credential.path, [])).reveal() }];
  } catch (error) {
    // ESC was asked with it, and the warning says what is wrong.
    if (error instanceof EscFault) return [];
    throw error;
  }
}
