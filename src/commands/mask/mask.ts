import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { loadMaskingAddon } from "../../launch/masking/masking-addon.ts";
import { SILENCE_MS } from "../../launch/masking/pump.ts";
import { maskingOf } from "../../masking/masking.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Masker } from "../../masking/stream.ts";
import { printError, printLines } from "../../output/stderr.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Command } from "../command.ts";
import { secretsToMask } from "./secrets-to-mask.ts";

export const mask: Command = async ({ options }, context) => {
  let secrets: readonly Secret[];
  try {
    secrets = await secretsToMask(resolveSettings(options, context.environment), context);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    await printError(context, error);
    // In front of a command that an agent has run, all of its output is missing.
    printLines(context, ["the output is not shown: without the above its secrets cannot be masked"]);
    return error.status;
  }
  const masking = maskingOf(secrets);
  // The masking lasts as long as the input is long.
  loader?.limitTurns?.(0);
  masking.prepare(loadMaskingAddon());
  await copyMasked(masking.stream(), context);
  // The hook of an agent starts two for each command.
  loader?.cacheCode();
  return ExitStatus.ok;
};

async function copyMasked(masker: Masker, context: Context): Promise<void> {
  const input = context.readChunks()[Symbol.asyncIterator]();
  for (;;) {
    const next = input.next();
    if (masker.revealsLittle && (await isSilent(next))) context.raw(1, masker.flush());
    const { done, value } = await next;
    if (done === true) break;
    context.raw(1, masker.push(value));
  }
  context.raw(1, masker.flush());
}

/** Returns true if nothing comes for a while, as behind a prompt. */
async function isSilent(next: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), SILENCE_MS);
  });
  const first = await Promise.race([next.then(() => false), silence]);
  clearTimeout(timer);
  return first;
}
