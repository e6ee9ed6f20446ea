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
 * strings there are as many colons as there are keys, and what was swallowed is not there when the document is written.
 */
function hasDuplicateKeys(text: string, document: ContractDocument): boolean {
  const written = JSON.stringify(document);
  // Without escapes the strings of both have the same colons: then nobody has to look for strings.
  return text.includes("\\") ? keysIn(text) !== keysIn(written) : colonsIn(text) !== colonsIn(written);
}

function keysIn(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "").length;
}

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) count += 1;
  return count;
}
