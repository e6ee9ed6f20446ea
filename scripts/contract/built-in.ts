/** Generates a module with the compiled contract, so that a start neither reads nor builds it. */
import type { Contract } from "../../src/contract/contract-model.ts";

/** Returns the text of a module that exports the contract. */
export function generateBuiltIn(contract: Contract, modelModule: string): string {
  const members = Object.entries(contract)
    .map(([key, value]) => `${key}: ${value instanceof Map ? mapText(value) : JSON.stringify(value)},`)
    .join("\n");
  return `import type { Contract } from ${JSON.stringify(modelModule)};

/** The compiled contract for projects without a contract of their own. */
export const BUILT_IN: Contract = {
${members}
};
`;
}

function mapText(map: ReadonlyMap<unknown, unknown>): string {
  return `new Map([${[...map].map((entry) => JSON.stringify(entry)).join(",\n")}])`;
}
