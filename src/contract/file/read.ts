/** From the text of a contract file to its document; pure. What is wrong with a bad one is another module's to say. */
import type { ContractDocument } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";
import type { Issue } from "./fault.ts";
import { examineMeaning } from "./meaning.ts";

/** A document that may be relied upon, or what kept it from being one. */
export type Reading =
  | { readonly kind: "valid"; readonly document: ContractDocument }
  /** No JSON, or not of the schema's shape, or with a key twice. */
  | { readonly kind: "misshapen" }
  /** Of the right shape, and yet it makes no sense. */
  | { readonly kind: "meaningless"; readonly issues: readonly Issue[] };

/** Reads and validates a contract. */
export function readContract(text: string): Reading {
  const document = parse(text);
  if (!isContractDocument(document) || hasDuplicateKeys(text, document)) return { kind: "misshapen" };
  const issues = examineMeaning(document);
  return issues.length === 0 ? { kind: "valid", document } : { kind: "meaningless", issues };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * JSON.parse takes the last of two equal keys without a word. Counting is cheaper than a parser of our own: outside of
 * texts there are as many colons as there are keys, unless one was swallowed.
 */
function hasDuplicateKeys(text: string, document: unknown): boolean {
  const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").replaceAll(/[^:]+/g, "");
  return colons.length !== countKeys(document);
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  const children: unknown[] = Object.values(value);
  for (const child of children) keys += countKeys(child);
  return keys + (Array.isArray(value) ? 0 : children.length);
}
