/** The part of a contract that concerns one process. */
import type { Contract } from "./model.ts";
import { restrict } from "./restrict.ts";
import { unknownPart } from "./unknown.ts";

/**
 * The contract for one process: what its scope does not list is withheld from the program, under other names too.
 * @param shown how messages call the contract
 * @throws SophiaError (contract-scope, 125)
 */
export function inScope(contract: Contract, scope: string, shown: string): Contract {
  const members = contract.scopes.get(scope);
  if (members === undefined) throw unknownPart("scope", shown, scope, [...contract.scopes.keys()]);
  const isMember = new Set(members);
  const outside = new Set([...contract.variables.keys()].filter((name) => !isMember.has(name)));
  for (const [alias, name] of contract.aliases) if (outside.has(name)) outside.add(alias);
  return { ...restrict(contract, (name) => isMember.has(name)), scope: { name: scope, outside } };
}
