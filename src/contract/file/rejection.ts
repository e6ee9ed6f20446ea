/** What is wrong with a contract file, with line and column; pure. Loaded only when something is. */
import { SophiaError } from "../../core/error.ts";
import { count, printable } from "../../core/text.ts";
import { schemaText } from "../generated/schema-text.ts";
import { duplicateKeys, explain } from "./explain.ts";
import type { Fault, Issue } from "./fault.ts";
import { JsonSyntaxError, lineAndColumn, parseWithPositions, type JsonNode } from "./positions.ts";
import type { Reading } from "./read.ts";
import type { Schema } from "./schema.ts";

const mostShown = 20;

/**
 * The error (contract-invalid, 125) for a contract that could not be read: every fault with its place, what is
 * wrong and what is allowed.
 *
 * @param name how messages call the file
 */
export function rejection(text: string, name: string, reading: Exclude<Reading, { kind: "valid" }>): SophiaError {
  if (reading.kind === "misshapen") return worded(text, name, structuralFaults(text));
  const root = parseWithPositions(text);
  return worded(
    text,
    name,
    reading.issues.map((issue) => ({ ...issue, offset: offsetOf(root, issue) })),
  );
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

function worded(text: string, name: string, faults: readonly Fault[]): SophiaError {
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
