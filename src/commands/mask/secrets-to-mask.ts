/** Collects the secrets that `sophia-run mask` and `sophia-run hook` mask. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { isNewToday } from "../../output/once-a-day.ts";
import { printNotices, warnUnavailable } from "../../output/print-notices.ts";
import { resolveValues } from "../../resolve/resolve-values.ts";
import { collectSecretsOfAllLayers } from "../../resolve/secret-values.ts";
import type { Start } from "../../resolve/start.ts";
import { readCommandSources } from "../parts/command-start.ts";
import { listTokenFiles, readTokens } from "./token-files.ts";

/** The default of `--cache-fresh` for this command: ESC is not contacted if its cached values are at most this old. */
const DEFAULT_CACHE_FRESH_MS = 600_000;

/**
 * Returns the secrets of all sources, and the tokens that open ESC. A value that another source overrides is included,
 * because a tool may print the file that contains the value. The contract is not checked.
 *
 * @throws SophiaError (125) if the sources cannot be read
 */
export async function readSecretsToMask(userSettings: Settings, context: Context): Promise<readonly Secret[]> {
  const settings = {
    ...userSettings,
    // With `--fake`, too, the real secrets must be found.
    fake: undefined,
    cacheFreshMs: userSettings.cacheFreshMs ?? DEFAULT_CACHE_FRESH_MS,
    enforceContract: false,
  };
  const sources = await readCommandSources(settings, context);
  const values = await resolveValues(sources);
  warnOfUnreadSources(sources, settings.quiet, context);
  const files = listTokenFiles(values.layers, context.cwd);
  return [
    ...collectSecretsOfAllLayers({ ...sources, values }),
    ...listEscToken(sources),
    ...(await readTokens(files, context.environment)),
  ];
}

/** Warns if a source could not be read, so that its secrets are not masked. @param quiet true to warn only once a day */
function warnOfUnreadSources({ store }: Pick<Start, "store">, quiet: boolean, context: Context): void {
  const { esc, accessNotices, notices } = store;
  printNotices(context, { quiet, isDaily: quiet }, [...accessNotices, ...notices]);
  if (esc.kind !== "unavailable" && esc.kind !== "refused") return;
  if (!quiet || isNewToday(`not masked: ${esc.failure.message}`, context.environment, true)) {
    warnUnavailable(context, esc);
  }
}

/** Returns the token that opens ESC, unless a file contains it: `readTokens` reads the tokens in files. */
function listEscToken({ store: { access } }: Pick<Start, "store">): readonly Secret[] {
  const credential = access.kind === "on" ? access.settings.credential : undefined;
  return credential?.kind === "token" ? [{ name: "ESC_TOKEN", value: credential.token.reveal() }] : [];
}
