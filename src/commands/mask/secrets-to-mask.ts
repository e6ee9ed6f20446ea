import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { isNewToday } from "../../output/once-a-day.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { resolveValues } from "../../resolve/resolve-values.ts";
import { hiddenIn } from "../../resolve/secret-values.ts";
import type { Start } from "../../resolve/start.ts";
import { readSourcesWith } from "../parts/command-start.ts";
import { tokenFiles, tokensInFiles } from "./token-files.ts";

/** The greatest age of cached values for which ESC is not contacted. */
const FRESH_MS = 600_000;

/**
 * Returns the secrets of all sources, also of those that another source overrides: a tool may print the file that has them. With
 * them are the tokens that open ESC. The contract is not checked.
 * @throws SophiaError (125)
 */
export async function secretsToMask(given: Settings, context: Context): Promise<readonly Secret[]> {
  // The real secrets are searched for, also in a program that was started with --fake.
  const cacheFreshMs = given.cacheFreshMs ?? FRESH_MS;
  const settings = { ...given, fake: undefined, cacheFreshMs, enforceContract: false };
  const sources = await readSourcesWith(settings, context);
  const values = await resolveValues(sources);
  warn(sources, settings.quiet, context);
  const files = tokenFiles(values.layers, context.cwd);
  const secrets = hiddenIn({ ...sources, values });
  return [...secrets, ...tokenOf(sources), ...(await tokensInFiles(files, context.environment))];
}

/** Warns of secrets that are not known. @param quiet once a day */
function warn({ store }: Pick<Start, "store">, quiet: boolean, context: Context): void {
  const { esc, accessNotices, notices } = store;
  printNotices(context, { quiet, isDaily: quiet }, [...accessNotices, ...notices]);
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  if (!quiet || isNewToday(`not masked: ${esc.failure.message}`, context.environment, true)) {
    warnUnavailable(context, esc);
  }
}

/** Returns the token that opens ESC; one of a file is among those of all files. */
function tokenOf({ store: { access } }: Pick<Start, "store">): readonly Secret[] {
  const credential = access.kind === "on" ? access.settings.credential : undefined;
  return credential?.kind === "token" ? [{ name: "ESC_TOKEN", value: credential.token.reveal() }] : [];
}
