import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";

/** What cannot be passed to any program. */
export type Unusable =
  | { readonly kind: "name" | "value"; readonly name: string }
  | { readonly kind: "argument"; readonly index: number };

/** The error (unusable-value, 125); it shows no value. */
export function unusableError(unusable: Unusable): SophiaError {
  return new SophiaError({ code: "unusable-value", ...words(unusable) });
}

function words(unusable: Unusable): { readonly message: string; readonly hint: string } {
  if (unusable.kind === "argument") {
    return { message: `argument ${unusable.index} contains a NUL character`, hint: "change the argument" };
  }
  const name = printable(unusable.name);
  if (unusable.kind === "value") {
    return { message: `the value of ${name} contains a NUL character`, hint: "change the value in its source" };
  }
  return {
    message: name === "" ? "an environment variable has no name" : `${name} is not a valid variable name`,
    hint: "rename it in its source: a name has at least one character, no = and no NUL",
  };
}
