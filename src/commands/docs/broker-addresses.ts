/**
 * Adds to a contract the variables with the address of the broker, so that the documents of `sophia-run docs` list them.
 * With `--broker` a program gets a dummy in place of an API key, and in another variable the address to which it sends its
 * requests.
 */
import { baseOf, compileBrokerEntry } from "../../contract/broker/entry.ts";
import type { Contract, Declaration, SectionLine } from "../../contract/contract-model.ts";

/** The beginning of the descriptions of these variables, by which `init` recognizes them in a `.env.example`. */
const DESCRIPTION_PREFIX = "Set by sophia-run --broker, for ";

/**
 * Returns the contract with the address variables, each after its key. Only keys with a member `broker` in the contract get
 * address variables. The broker also knows keys without this member, but they get none, so that the documents of other
 * contracts stay as they are.
 */
export function addBrokerAddresses(contract: Contract): Contract {
  const addedByKey = new Map<string, readonly Declaration[]>();
  for (const declaration of contract.variables.values()) {
    const added = missingAddresses(declaration, contract);
    if (added.length > 0) addedByKey.set(declaration.name, added);
  }
  if (addedByKey.size === 0) return contract;
  const addedFor = (keyName: string): readonly Declaration[] => addedByKey.get(keyName) ?? [];
  const variables = Array.from(contract.variables.values()).flatMap((declaration) => [
    declaration,
    ...addedFor(declaration.name),
  ]);
  const addedRules = [...addedByKey.values()].flat().map(({ name }) => ({ kind: "optional", name }) as const);
  const withAddedLines = (line: SectionLine): readonly SectionLine[] => {
    const names = line.kind === "variable" ? [line.name] : line.names;
    const addedLines = names.flatMap(addedFor).map(({ name, label }) => ({ kind: "variable", name, label }) as const);
    return [line, ...addedLines];
  };
  return {
    ...contract,
    variables: new Map(variables.map((declaration) => [declaration.name, declaration])),
    rules: [...contract.rules, ...addedRules],
    sections: contract.sections.map(({ title, lines }) => ({ title, lines: lines.flatMap(withAddedLines) })),
  };
}

/** Declares the addresses that the broker sets for a key, except those that the contract declares itself. */
function missingAddresses(declaration: Declaration, { variables, aliases }: Contract): readonly Declaration[] {
  return addressesOf(declaration)
    .filter((name) => !variables.has(name) && !aliases.has(name))
    .map((name) => addressDeclaration(name, declaration.name));
}

/** Returns true if a comment describes an address variable. */
export function isAddressNote(comment: string): boolean {
  return comment.startsWith(DESCRIPTION_PREFIX);
}

function addressesOf(declaration: Declaration): readonly string[] {
  if (declaration.broker === undefined) return [];
  const entry = compileBrokerEntry(declaration);
  return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
}

function addressDeclaration(name: string, keyName: string): Declaration {
  return { name, label: name, description: `${DESCRIPTION_PREFIX}${keyName}.`, secret: false, aliases: [] };
}
