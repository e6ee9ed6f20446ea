/** From the text of a contract file to its document, or to all that is wrong with it; pure. */
import { SophiaError } from "../../error.ts";
import { count, printable } from "../../text.ts";
import type { ContractDocument } from "../generated/document.ts";
import { isContractDocument } from "../generated/guard.ts";
import { schemaText } from "../generated/schema-text.ts";
import { duplicateKeys, explain } from "./explain.ts";
import type { Fault, Issue } from "./fault.ts";
import { examineMeaning } from "./meaning.ts";
import { JsonSyntaxError, lineAndColumn, parseWithPositions, type JsonNode } from "./positions.ts";
import type { Schema } from "./schema.ts";

const mostShown = 20;

/**
 * Reads and validates a contract.
 *
 * @param name how messages call the file
 * @throws SophiaError (contract-invalid, 125) with every fault: line, column, what is wrong, what is allowed
 */
export function readContract(text: string, name: string): ContractDocument {
  const document = parse(text);
  if (document === undefined || !isContractDocument(document) || hasDuplicateKeys(text, document)) {
    throw invalid(text, name, structuralFaults(text));
  }
  const issues = examineMeaning(document);
  if (issues.length === 0) return document;
  const root = parseWithPositions(text);
  throw invalid(
    text,
    name,
    issues.map((issue) => ({ ...issue, offset: offsetOf(root, issue) })),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * JSON.parse takes the last of two equal keys without a word. Counting is cheaper than a parser of our own: there
 * are as many texts followed by a colon as there are keys, unless one was swallowed.
 */
function hasDuplicateKeys(text: string, document: unknown): boolean {
  let written = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:)?/g)) if (colon !== undefined) written += 1;
  return written !== countKeys(document);
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  for (const child of Object.values(value)) keys += countKeys(child);
  return keys + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

function structuralFaults(text: string): readonly Fault[] {
  let root: JsonNode;
  try {
    root = parseWithPositions(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return [error];
  }
  // Sound: the generator wrote the text from a schema that it had read as one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const schema = JSON.parse(schemaText) as Schema;
  return [...explain(schema, root), ...duplicateKeys(root)];
}

function offsetOf(root: JsonNode, { path, atKey }: Issue): number {
  let node = root;
  let keyStart = root.start;
  for (const step of path) {
    if (node.kind === "array" && typeof step === "number") {
      const item = node.items[step];
      if (item === undefined) break;
      node = item;
      keyStart = item.start;
    } else if (node.kind === "object") {
      const member = node.members.findLast(({ key }) => key === step);
      if (member === undefined) break;
      node = member.value;
      keyStart = member.keyStart;
    } else {
      break;
    }
  }
  return atKey ? keyStart : node.start;
}

function invalid(text: string, name: string, faults: readonly Fault[]): SophiaError {
  const [first, ...others] = faults
    .toSorted((a, b) => a.offset - b.offset)
    .slice(0, mostShown)
    .map(({ offset, message, allowed }) => {
      const { line, column } = lineAndColumn(text, offset);
      return { place: printable(`${name}:${line}:${column}: ${message}`), allowed: printable(`allowed: ${allowed}`) };
    });
  if (first === undefined) throw new TypeError("the guard refuses a contract in which nothing is wrong");
  if (others.length === 0) {
    return new SophiaError({ code: "contract-invalid", message: first.place, hint: first.allowed });
  }
  const details = [first, ...others].map(({ place, allowed }) => `${place}; ${allowed}`);
  if (faults.length > mostShown) details.push(`and ${faults.length - mostShown} more`);
  return new SophiaError({
    code: "contract-invalid",
    message: `the contract ${printable(name)} has ${count(faults.length, "error")}`,
    hint: "correct them, the first one first",
    details,
  });
}
