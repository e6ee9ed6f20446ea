/** The variables that a program gets for brokered keys, as the documents list them. */
import { baseOf, brokerEntryOf } from "../../contract/broker/entry.ts";
import type { Contract, Declaration, SectionLine } from "../../contract/contract-model.ts";

/** The words by which `init` recognizes them. */
const NOTE = "Set by sophia-run --broker, for ";

/**
 * Adds the variables behind each key for which the contract has a `broker` member. What is built in without one adds none, so
 * that documents of other contracts stay as they are.
 */
export function withAddresses(contract: Contract): Contract {
  const added = new Map<string, readonly Declaration[]>();
  for (const declaration of contract.variables.values()) {
    const addresses = addressesOf(declaration).filter(
      (name) => !contract.variables.has(name) && !contract.aliases.has(name),
    );
    if (addresses.length > 0)
      added.set(
        declaration.name,
        addresses.map((name) => address(name, declaration.name)),
      );
  }
  if (added.size === 0) return contract;
  const behind = (name: string): readonly Declaration[] => added.get(name) ?? [];
  const variables = Array.from(contract.variables.values()).flatMap((declaration) => [
    declaration,
    ...behind(declaration.name),
  ]);
  return {
    ...contract,
    variables: new Map(variables.map((declaration) => [declaration.name, declaration])),
    rules: [...contract.rules, ...[...added.values()].flat().map(({ name }) => ({ kind: "optional", name }) as const)],
    sections: contract.sections.map(({ title, lines }) => ({
      title,
      lines: lines.flatMap((line): readonly SectionLine[] => {
        const keys = line.kind === "variable" ? [line.name] : line.names;
        return [line, ...keys.flatMap(behind).map(({ name, label }) => ({ kind: "variable", name, label }) as const)];
      }),
    })),
  };
}

export function isAddressNote(comment: string): boolean {
  return comment.startsWith(NOTE);
}

function addressesOf(declaration: Declaration): readonly string[] {
  if (declaration.broker === undefined) return [];
  const entry = brokerEntryOf(declaration);
  return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
}

function address(name: string, key: string): Declaration {
  return { name, label: name, description: `${NOTE}${key}.`, secret: false, aliases: [] };
}
