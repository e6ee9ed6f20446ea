/** The part of a contract for one process, and the error for a profile or scope that a contract does not have. */
import { SophiaError } from "../core/error.ts";
import { suggest } from "../core/suggest.ts";
import { enumerate, printable } from "../core/text.ts";
import type { Contract } from "./model.ts";
import { restrict } from "./restrict.ts";

/** Restricts a contract to a scope and withholds all other variables. @throws SophiaError (contract-scope, 125) */
export function inScope(contract: Contract, scope: string, shown: string): Contract {
  const members = contract.scopes.get(scope);
  if (members === undefined) throw unknownPart("scope", shown, scope, [...contract.scopes.keys()]);
  const isMember = new Set(members);
  const outside = new Set([...contract.variables.keys()].filter((name) => !isMember.has(name)));
  for (const [alias, name] of contract.aliases) if (outside.has(name)) outside.add(alias);
  return { ...restrict(contract, (name) => isMember.has(name)), scope: { name: scope, outside } };
}

/** Makes the error (125) for a profile or scope that the contract does not have. @param shown the contract */
export function unknownPart(
  kind: "profile" | "scope",
  shown: string,
  name: string,
  known: readonly string[],
): SophiaError {
  const suggestion = suggest(name, known);
  return new SophiaError({
    code: `contract-${kind}`,
    message: `${printable(shown)} has no ${kind} "${printable(name)}"`,
    hint:
      known.length === 0
        ? `leave out --${kind} and SOPHIA_${kind.toUpperCase()}: this contract has no ${kind}s`
        : `${suggestion === undefined ? "" : `did you mean ${printable(suggestion)}? `}choose ${enumerate(known.map(printable), "or")}`,
  });
}
