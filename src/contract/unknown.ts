/** The error for a profile or scope that a contract does not have. */
import { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { suggest } from "../core/suggest.ts";

/** @param contract how messages call it */
export function unknownPart(
  kind: "profile" | "scope",
  contract: string,
  name: string,
  known: readonly string[],
): SophiaError {
  const meant = suggest(name, known);
  return new SophiaError({
    code: `contract-${kind}`,
    message: `${printable(contract)} has no ${kind} "${printable(name)}"`,
    hint:
      known.length === 0
        ? `leave out --${kind} and SOPHIA_${kind.toUpperCase()}: this contract has no ${kind}s`
        : `${meant === undefined ? "" : `did you mean ${printable(meant)}? `}choose ${enumerate(known.map(printable), "or")}`,
  });
}
