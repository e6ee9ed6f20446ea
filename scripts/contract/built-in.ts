/** From the compiled contract to a module that holds it, so that a start has neither to read nor to build it. */
import type { Contract } from "../../src/contract/model.ts";

/**
 * The text of a module that exports the contract as a function: nothing is built before it is called. The contract is
 * kept as text, of which V8 makes the hundreds of objects quicker than of literals, even of those in a code cache.
 *
 * @throws Error for what JSON cannot hold
 */
export function generateBuiltIn(contract: Contract, modelModule: string): string {
  const text = JSON.stringify(contract, (_, value: unknown) => (value instanceof Map ? [...value] : value));
  const { built, members } = rebuild(text, contract);
  if (JSON.stringify(built) !== text) throw new Error("the built-in contract holds what JSON does not");
  return `import type { Contract } from ${JSON.stringify(modelModule)};

/** The contract as it is in text: its maps are lists of entries. */
type Entries<T> = { [Key in keyof T]: T[Key] extends ReadonlyMap<infer Name, infer Value> ? [Name, Value][] : T[Key] };

/** The contract that counts where a repository has none of its own. */
export function builtInContract(): Contract {
  // Sound: the generator has made the text from such a contract.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const contract = JSON.parse(text) as Entries<Contract>;
  return { ...contract, ${members.map((name) => `${name}: new Map(contract.${name})`).join(", ")} };
}

const text = ${JSON.stringify(text)};
`;
}
