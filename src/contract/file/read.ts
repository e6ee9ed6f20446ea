/** Parses the text of a contract file; pure. `rejection.ts` explains the errors. */
import type { ContractDocument } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";

/** Returns undefined if the text is not JSON, violates the schema or has a duplicate key. */
export function parseContract(text: string): ContractDocument | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isContractDocument(document) && !hasDuplicateKeys(text, document) ? document : undefined;
}

/** JSON.parse drops the first of equal keys. Counting colons outside of strings is faster than a second parser. */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const written = JSON.stringify(document);
  // Fast path: without escapes the strings in both texts have the same colons.
  return text.includes("\\") ? keysIn(text) !== keysIn(written) : colonsIn(text) !== colonsIn(written);
}

function keysIn(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "").length;
}

function colonsIn(text: string): number {
  return text.split(":").length - 1;
}
