/** From the text of a contract file to its document; pure. `rejection.ts` says what is wrong with a bad one. */
import type { ContractDocument } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";

/** The document, or undefined where the text is not JSON, does not have the schema's shape or has a duplicate key. */
export function parseContract(text: string): ContractDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isContractDocument(document) && !hasDuplicateKeys(text, document) ? document : undefined;
}

/**
 * JSON.parse takes the last of two equal keys without a word. Counting is cheaper than a second parser: outside of
 * strings there are as many colons as there are keys, unless one was swallowed.
 */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "");
  return colons.length !== countKeys(document);
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const children: unknown[] = Object.values(value);
  return children.reduce<number>((sum, child) => sum + countKeys(child), Array.isArray(value) ? 0 : children.length);
}
