/**
 * Reads the value that `set` or `rotate` writes, from a prompt or the standard input. It is never on the command line, where shells
 * and ps(1) would expose it.
 */
import { isBlank } from "../../../contract/check-contract.ts";
import { findFormatFault } from "../../../contract/format.ts";
import type { Declaration } from "../../../contract/contract-model.ts";
import { isPlaceholder } from "../../../contract/placeholder.ts";
import { describeFormatFault } from "../../../contract/contract-words.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { layOutQuestion } from "../../../output/stderr.ts";
import { canAskUser } from "../confirm.ts";

/**
 * Reads the value of a variable and checks it against its declaration.
 *
 * @param texts.what the name of the value in messages
 * @param texts.remedy how the user can pass the value without a prompt
 * @throws SophiaError (rotate-value, 125) if there is no valid value; the error does not contain the value
 */
export async function readValueToWrite(
  name: string,
  declaration: Declaration | undefined,
  { what, remedy }: { readonly what: "value" | "new value"; readonly remedy: string },
  context: Context,
): Promise<string> {
  const printableName = printable(name);
  const question = `${what === "value" ? "Value" : "New value"} of ${printableName} (not shown):`;
  const value = canAskUser(context)
    ? await context.readHidden(layOutQuestion(context, [question]))
    : await readValueFromInput(printableName, remedy, context);
  if (value === undefined || isBlank(value)) throw createValueError(`there is no ${what} for ${printableName}`, remedy);
  const invalidValueError = (fault: string, hint: string): SophiaError =>
    createValueError(`the ${what} of ${printableName} ${fault}`, hint);
  if (value.includes("\0")) {
    throw invalidValueError("contains a NUL character", "remove it: no environment variable can contain one");
  }
  if (declaration !== undefined && isPlaceholder(declaration, value)) {
    throw invalidValueError("is still a placeholder", "nothing was changed; pass the real value");
  }
  const fault = declaration?.format === undefined ? undefined : findFormatFault(declaration.format, value, name);
  if (fault !== undefined)
    throw invalidValueError(describeFormatFault(fault), "nothing was changed; the format is that of the contract");
  return value;
}

/** Reads the standard input to its end, and removes the final line break, which most tools add to their output. */
async function readValueFromInput(printableName: string, remedy: string, context: Context): Promise<string> {
  // At a terminal the user would type the value here, and the terminal would show it.
  if (context.isTerminal(0)) throw createValueError(`no prompt is possible for the value of ${printableName}`, remedy);
  const bytes = await context.readInput();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw createValueError("the standard input is not valid UTF-8", "pass the value as UTF-8");
  }
  return text.replace(/\r?\n$/, "");
}

/** Returns the error for a value that cannot be used, whose code is `rotate-value` for all commands. */
export function createValueError(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "rotate-value", message, hint });
}
