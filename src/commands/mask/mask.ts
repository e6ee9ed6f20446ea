/**
 * The command `sophia-run mask`. It copies the standard input to the standard output, and replaces the secrets of all
 * sources in it by `***`. The hooks for coding agents (hook/) pipe the output of an agent's commands through it.
 */
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { loadMaskingAddon } from "../../launch/masking/masking-addon.ts";
import { SILENCE_MS } from "../../launch/masking/pump.ts";
import { createMasking } from "../../masking/masking.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Masker } from "../../masking/stream.ts";
import { printError, printLines } from "../../output/stderr.ts";
import { loader } from "../../system/addon/addon.ts";
import type { Command } from "../command.ts";
import { readSecretsToMask } from "./secrets-to-mask.ts";

/** Returns 0 if the whole input was copied. @throws SophiaError (125) */
export const mask: Command = async ({ options }, context) => {
  let secrets: readonly Secret[];
  try {
    secrets = await readSecretsToMask(resolveSettings(options, context.environment), context);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    await printError(context, error);
    // The reader, often a coding agent, would otherwise think that the command behind the pipe printed nothing.
    printLines(context, ["the output is not shown: without the above its secrets cannot be masked"]);
    return error.status;
  }
  const masking = createMasking(secrets);
  // The limit on computing time was for reading the sources. Masking takes as long as the input requires.
  loader?.limitTurns?.(0);
  masking.prepare(loadMaskingAddon());
  await copyMaskedInput(masking.stream(), context);
  // The hook of an agent starts this command twice for each command of the agent, so that cached code is worth its cost.
  loader?.cacheCode();
  return ExitStatus.ok;
};

/**
 * Copies the input. The masker holds back bytes that may begin a secret. If the input is then silent, as after a prompt,
 * the bytes are written nevertheless, provided that they reveal little.
 */
async function copyMaskedInput(masker: Masker, context: Context): Promise<void> {
  const input = context.readChunks()[Symbol.asyncIterator]();
  for (;;) {
    const nextChunk = input.next();
    if (masker.revealsLittle && (await isSilent(nextChunk))) context.raw(1, masker.flush());
    const { done, value } = await nextChunk;
    if (done === true) break;
    context.raw(1, masker.push(value));
  }
  context.raw(1, masker.flush());
}

/** Returns true if no chunk arrives within `SILENCE_MS`. */
async function isSilent(nextChunk: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), SILENCE_MS);
  });
  const wasSilent = await Promise.race([nextChunk.then(() => false), silence]);
  clearTimeout(timer);
  return wasSilent;
}
