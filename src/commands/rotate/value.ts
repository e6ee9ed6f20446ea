/** Where the new value comes from: never the command line. */
import { formatFault, noWork } from "../../contract/format.ts";
import type { Declaration } from "../../contract/model.ts";
import { faultWords } from "../../contract/words.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { canAsk } from "../confirm.ts";
import { generate } from "./generate.ts";

const IS_ADDRESS = /^[a-z][a-z\d+.-]*:\/\//i;

/**
 * @param old the value that it replaces
 * @throws SophiaError (rotate-value, 125) where there is none, or none of the declared format; it does not show it
 */
export async function newValue(
  name: string,
  declaration: Declaration | undefined,
  generated: boolean,
  old: string,
  context: Context,
): Promise<string> {
  const shown = printable(name);
  const format = declaration?.format;
  if (generated) {
    // Where something is cannot be made up, whatever the contract leaves open.
    const value = IS_ADDRESS.test(old) ? undefined : generate(format, name);
    if (value !== undefined) return value;
    throw failure(
      IS_ADDRESS.test(old)
        ? `${shown} is a URL, which cannot be generated`
        : `no random value of the format that the contract declares for ${shown} can be made`,
      "leave out --generate, and give the value by the standard input",
    );
  }
  const value = canAsk(context)
    ? await context.readHidden(`New value of ${shown} (not shown): `)
    : await fromInput(context);
  if (value === undefined || value === "") {
    throw failure(
      `there is no new value for ${shown}`,
      "give it by the standard input or at the prompt, or --generate one",
    );
  }
  if (value.includes("\0"))
    throw failure(`the new value of ${shown} contains a NUL character`, "no variable can contain one");
  const fault = format === undefined ? undefined : formatFault(format, value, name, noWork());
  if (fault === undefined) return value;
  throw failure(
    `the new value of ${shown} ${faultWords(fault)}`,
    "nothing was changed; the contract declares the format",
  );
}

async function fromInput(context: Context): Promise<string> {
  const bytes = await context.readInput();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw failure("the standard input is not valid UTF-8", "give the value as UTF-8");
  }
  return text.replace(/\r?\n$/, "");
}

function failure(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "rotate-value", message, hint });
}
