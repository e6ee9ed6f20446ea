import type { Contract, GroupRule, Rule, SectionLine } from "./model.ts";

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
  const line = (one: SectionLine): readonly SectionLine[] => {
    if (one.kind === "variable") return isKept(one.name) ? [one] : [];
    const names = kept(one.names);
    return names.length === 0 ? [] : [{ ...one, names }];
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
