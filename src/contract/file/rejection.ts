/** Finds the errors in the text of a contract, with line and column; pure. Loaded only for a faulty one. */
import { schemaText } from "../generated/schema-text.ts";
import type { LocatedFault } from "./contract-file-error.ts";
import { explain } from "./explain-rejection.ts";
import { type Fault, type Issue, JsonSyntaxError, located, offsetFinder, parseWithPositions } from "./positions.ts";
import type { Schema } from "./schema.ts";

/** Returns what is wrong with a text that `parseContract` refuses. */
export function malformations(text: string): readonly LocatedFault[] {
  return locatedFaults(text, structuralFaults(text));
}

/** Returns what is wrong with a contract that has the form of the schema, but contradicts itself. */
export function contradictions(text: string, issues: readonly Issue[]): readonly LocatedFault[] {
  const offsetOf = offsetFinder(parseWithPositions(text));
  const faults = issues.map((issue) => ({ ...issue, offset: offsetOf(issue) }));
  return locatedFaults(text, faults);
}

function structuralFaults(text: string): readonly Fault[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the generator validated the schema
  const schema = JSON.parse(schemaText) as Schema;
  try {
    return explain(schema, parseWithPositions(text));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return [error.fault];
    throw error;
  }
}

function locatedFaults(text: string, faults: readonly Fault[]): readonly LocatedFault[] {
  if (faults.length === 0) throw new TypeError("a contract without an error was refused");
  const ordered = faults.toSorted((a, b) => a.offset - b.offset);
  return located(text, ordered).map(({ message, allowed, line, column }) => ({
    line,
    column,
    problem: message,
    allowed,
  }));
}
