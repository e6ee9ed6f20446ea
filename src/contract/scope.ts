/**
 * Restricts a contract to some of its variables: those of a scope, or those that the user selects. A scope (`--scope
 * worker`) lists the variables for one process of the project, such as a worker. Also creates the error for a profile
 * or scope that the contract does not have.
 */
import { SophiaError } from "../core/error.ts";
import { findNearestName } from "../core/suggest.ts";
import { enumerate, printable } from "../core/text.ts";
import type { Contract, GroupRule, Rule, SectionLine } from "./contract-model.ts";

/**
 * Restricts a contract to a scope, so that the program does not get any other declared variable.
 *
 * @param shownContract the path or name of the contract for messages
 * @throws SophiaError (contract-scope, 125)
 */
export function restrictToScope(contract: Contract, scope: string, shownContract: string): Contract {
  const names = contract.scopes.get(scope);
  if (names === undefined) throw createUnknownNameError("scope", shownContract, scope, [...contract.scopes.keys()]);
  const members = new Set(names);
  const outside = new Set([...contract.variables.keys()].filter((name) => !members.has(name)));
  for (const [alias, name] of contract.aliases) if (outside.has(name)) outside.add(alias);
  return { ...restrictContract(contract, (name) => members.has(name)), scope: { name: scope, outside } };
}

/**
 * Returns the contract as if it declared only the variables for which `isKept` returns true. A condition on any other
 * variable is never met. The time is linear in the size of the contract.
 */
export function restrictContract(contract: Contract, isKept: (name: string) => boolean): Contract {
  const nameOf = (nameOrAlias: string): string => contract.aliases.get(nameOrAlias) ?? nameOrAlias;
  /** Returns the names that are kept. If all are kept, this is the same array. */
  const keptNames = (names: readonly string[]): readonly string[] =>
    names.every(isKept) ? names : names.filter((name) => isKept(name));
  const restrictGroup = (rule: GroupRule): readonly GroupRule[] => {
    const names = keptNames(rule.names);
    // If all names are kept, this must be the same object, because code compares rules of violations by identity.
    if (names === rule.names) return [rule];
    return names.length === 0 ? [] : [{ ...rule, names }];
  };
  const restrictLine = (line: SectionLine): readonly SectionLine[] => {
    if (line.kind === "variable") return isKept(line.name) ? [line] : [];
    const names = keptNames(line.names);
    return names.length === 0 ? [] : [{ ...line, names }];
  };
  return {
    ...contract,
    variables: new Map([...contract.variables].filter(([name]) => isKept(name))),
    aliases: new Map([...contract.aliases].filter(([, name]) => isKept(name))),
    deprecated: new Map([...contract.deprecated].filter(([name]) => isKept(nameOf(name)))),
    rules: contract.rules.flatMap((rule): readonly Rule[] => {
      if ("names" in rule) return restrictGroup(rule);
      return isKept(rule.name) ? [rule] : [];
    }),
    sections: contract.sections
      .map(({ title, lines }) => ({ title, lines: lines.flatMap(restrictLine) }))
      .filter(({ lines }) => lines.length > 0),
  };
}

/**
 * Creates the error (125) for a profile or scope that the contract does not have.
 *
 * @param shownContract the path or name of the contract for messages
 * @param knownNames the profiles or scopes that the contract has
 */
export function createUnknownNameError(
  kind: "profile" | "scope",
  shownContract: string,
  name: string,
  knownNames: readonly string[],
): SophiaError {
  return new SophiaError({
    code: `contract-${kind}`,
    message: `${printable(shownContract)} has no ${kind} "${printable(name)}"`,
    hint:
      knownNames.length === 0
        ? `leave out --${kind} and SOPHIA_${kind.toUpperCase()}: this contract has no ${kind}s`
        : suggestName(name, knownNames),
  });
}

function suggestName(name: string, knownNames: readonly string[]): string {
  const suggestion = findNearestName(name, knownNames);
  const question = suggestion === undefined ? "" : `did you mean ${printable(suggestion)}? `;
  return `${question}choose ${enumerate(knownNames.map(printable), "or")}`;
}
