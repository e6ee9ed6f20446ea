/** From the compiled contract to a module that holds it, so that a start has neither to read nor to build it. */
import type { Contract } from "../../src/contract/model.ts";

/** The text of a module that exports the contract. */
export function generateBuiltIn(contract: Contract, modelModule: string): string {
  const members = Object.entries(contract)
    .map(([key, value]) => `${key}: ${value instanceof Map ? mapText(value) : JSON.stringify(value)},`)
    .join("\n");
  return `import type { Contract } from ${JSON.stringify(modelModule)};

/** The contract that counts where a repository has none of its own. */
export const BUILT_IN: Contract = {
${members}
};
`;
}

function mapText(map: ReadonlyMap<unknown, unknown>): string {
  return `new Map([${[...map].map((entry) => JSON.stringify(entry)).join(",\n")}])`;
}
