/** What cannot be passed to any program, in words. */
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";

export type Unusable =
  | { readonly kind: "name" | "value"; readonly name: string }
  | { readonly kind: "argument"; readonly index: number };

/** The error (unusable-value, 125); it shows no value. */
export function unusableError(unusable: Unusable): SophiaError {
  const [message, hint] = words(unusable);
  return new SophiaError({ code: "unusable-value", message, hint });
}

function words(unusable: Unusable): readonly [message: string, hint: string] {
  switch (unusable.kind) {
    case "name": {
      const { name } = unusable;
      const what =
        name === "" ? "an environment variable has no name" : `${printable(name)} is not a valid variable name`;
      return [what, "rename it in its source: a name has at least one character, no = and no NUL"];
    }
    case "value":
      return [`the value of ${printable(unusable.name)} contains a NUL character`, "change the value in its source"];
    case "argument":
      return [`argument ${unusable.index} contains a NUL character`, "change the argument"];
  }
}
