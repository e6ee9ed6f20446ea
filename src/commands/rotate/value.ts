import type { Declaration } from "../../contract/model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { readValue, valueError } from "../writing/value.ts";
import { generate } from "./generate.ts";

/** @throws SophiaError (rotate-value, 125) if there is none, or none that the contract accepts; it does not show it */
export async function newValue(
  name: string,
  declaration: Declaration | undefined,
  generated: boolean,
  old: string,
  context: Context,
): Promise<string> {
  if (!generated) {
    const remedy = "give it by the standard input or at the prompt, or --generate one";
    return readValue(name, declaration, { what: "new value", remedy }, context);
  }
  // An address cannot be made up, whatever the contract leaves open.
  const isAddress = /^[a-z][a-z\d+.-]*:\/\//i.test(old);
  const value = isAddress ? undefined : generate(declaration?.format, name);
  if (value !== undefined) return value;
  const shown = printable(name);
  throw valueError(
    isAddress
      ? `${shown} is a URL, which cannot be generated`
      : `no random value of the format that the contract declares for ${shown} can be made`,
    "leave out --generate, and give the value by the standard input",
  );
}
