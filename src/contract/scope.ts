/** Parts of a contract: the variables of one process, or the selected ones; and the error for a profile or scope that a contract does not have. */
import { SophiaError } from "../core/error.ts";
import { suggest } from "../core/suggest.ts";
import { enumerate, printable } from "../core/text.ts";
import type { Contract, GroupRule, Rule, SectionLine } from "./contract-model.ts";

/** Restricts a contract to a scope and withholds all other variables. @throws SophiaError (contract-scope, 125) */
export function inScope(contract: Contract, scope: string, shown: string): Contract {
  const members = contract.scopes.get(scope);
  if (members === undefined) throw unknownPart("scope", shown, scope, [...contract.scopes.keys()]);
  const isMember = new Set(members);
  const outside = new Set([...contract.variables.keys()].filter((name) => !isMember.has(name)));
  for (const [alias, name] of contract.aliases) if (outside.has(name)) outside.add(alias);
  return { ...restrict(contract, (name) => isMember.has(name)), scope: { name: scope, outside } };
}

/** Returns the contract as if it declared only the kept variables; a condition on others is never met. Linear in its size. */
export function restrict(contract: Contract, isKept: (name: string) => boolean): Contract {
  const owner = (name: string): string => contract.aliases.get(name) ?? name;
  const kept = (names: readonly string[]): readonly string[] =>
    names.every(isKept) ? names : names.filter((name) => isKept(name));
  const group = (rule: GroupRule): readonly GroupRule[] => {
    const names = kept(rule.names);
    // The same object if nothing is left out: violations are identified by their rule.
    return names === rule.names ? [rule] : names.length === 0 ? [] : [{ ...rule, names }];
  };
  const line = (listed: SectionLine): readonly SectionLine[] => {
    if (listed.kind === "variable") return isKept(listed.name) ? [listed] : [];
    const names = kept(listed.names);
    return names.length === 0 ? [] : [{ ...listed, names }];
  };
  return {
    ...contract,
    variables: new Map([...contract.variables].filter(([name]) => isKept(name))),
    aliases: new Map([...contract.aliases].filter(([, name]) => isKept(name))),
    deprecated: new Map([...contract.deprecated].filter(([name]) => isKept(owner(name)))),
    rules: contract.rules.flatMap((rule): readonly Rule[] =>
      "names" in rule ? group(rule) : isKept(rule.name) ? [rule] : [],
    ),
    sections: contract.sections
      .map(({ title, lines }) => ({ title, lines: lines.flatMap(line) }))
      .filter(({ lines }) => lines.length > 0),
  };
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
