/**
 * Adds to a contract the variables with the address of the broker, so that the documents of `sophia-run docs` list them.
 * With `--broker` a program gets a dummy in place of an API key, and in another variable the address to which it sends its
 * requests.
 */
import { baseOf, brokerEntryOf } from "../../contract/broker/entry.ts";
import type { Contract, Declaration, SectionLine } from "../../contract/contract-model.ts";

/** The beginning of their descriptions, by which `init` recognizes them in a `.env.example`. */
const NOTE = "Set by sophia-run --broker, for ";

/**
 * Returns the contract with these variables, each after its key. Only the keys that have a member `broker` in the contract
 * get them. A key that the broker knows without this member does not, so that the documents of other contracts stay as they
 * are.
 */
export function addBrokerAddresses(contract: Contract): Contract {
  const addedByKey = new Map<string, readonly Declaration[]>();
  for (const declaration of contract.variables.values()) {
    const addresses = addressesOf(declaration).filter(
      (name) => !contract.variables.has(name) && !contract.aliases.has(name),
    );
    if (addresses.length > 0)
      addedByKey.set(
        declaration.name,
        addresses.map((name) => addressDeclaration(name, declaration.name)),
      );
  }
  if (addedByKey.size === 0) return contract;
  const addedFor = (keyName: string): readonly Declaration[] => addedByKey.get(keyName) ?? [];
  const variables = Array.from(contract.variables.values()).flatMap((declaration) => [
    declaration,
    ...addedFor(declaration.name),
  ]);
  return {
    ...contract,
    variables: new Map(variables.map((declaration) => [declaration.name, declaration])),
    rules: [
      ...contract.rules,
      ...[...addedByKey.values()].flat().map(({ name }) => ({ kind: "optional", name }) as const),
    ],
    sections: contract.sections.map(({ title, lines }) => ({
      title,
      lines: lines.flatMap((line): readonly SectionLine[] => {
        const names = line.kind === "variable" ? [line.name] : line.names;
        return [
          line,
          ...names.flatMap(addedFor).map(({ name, label }) => ({ kind: "variable", name, label }) as const),
        ];
      }),
    })),
  };
}

/** Returns true for the description of such a variable. */
export function isAddressNote(comment: string): boolean {
  return comment.startsWith(NOTE);
}

function addressesOf(declaration: Declaration): readonly string[] {
  if (declaration.broker === undefined) return [];
  const entry = brokerEntryOf(declaration);
  return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
}

function addressDeclaration(name: string, keyName: string): Declaration {
  return { name, label: name, description: `${NOTE}${keyName}.`, secret: false, aliases: [] };
}
