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
  // What the document says without escapes has its colons in the text as well: then nobody has to look for strings.
  if (!text.includes("\\")) return colonsIn(text) !== countKeys(document, true);
  const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]+/g, "");
  return colons.length !== countKeys(document, false);
}

/** How many keys there are, with the colons in strings if they are asked for. */
function countKeys(value: unknown, withColons: boolean): number {
  if (typeof value === "string") return withColons ? colonsIn(value) : 0;
  if (!isComposite(value)) return 0;
  const isArray = Array.isArray(value);
  let sum = 0;
  // JSON.parse makes plain objects; Object.entries would make a list for each of thousands of members.
  // oxlint-disable-next-line guard-for-in -- see above
  for (const key in value) {
    if (!isArray) sum += 1 + (withColons ? colonsIn(key) : 0);
    sum += countKeys(value[key], withColons);
  }
  return sum;
}

function isComposite(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) count += 1;
  return count;
}
