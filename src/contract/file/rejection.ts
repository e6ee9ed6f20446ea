/**
 * Finds the errors in the text of a contract, with line and column; pure. Loaded only for a contract that was refused:
 * load-file.ts checks with `JSON.parse` and the generated guard, which are fast and know no positions.
 */
import { schemaText } from "../generated/schema-text.ts";
import type { LocatedFault } from "./contract-file-error.ts";
import { explain } from "./explain-rejection.ts";
import {
  type Fault,
  type ContractIssue,
  JsonSyntaxError,
  addPositions,
  offsetFinder,
  parseWithPositions,
} from "./positions.ts";
import type { Schema } from "./schema.ts";

/** Returns the errors of a text that `parseContract` refuses: it is not JSON, or does not have the form of the schema. */
export function findStructuralFaults(text: string): readonly LocatedFault[] {
  return locateFaults(text, structuralFaultsIn(text));
}

/** Returns the issues of a contract that has the form of the schema, each with the position of its path. */
export function locateIssues(text: string, issues: readonly ContractIssue[]): readonly LocatedFault[] {
  const offsetOf = offsetFinder(parseWithPositions(text));
  const faults = issues.map((issue) => ({ ...issue, offset: offsetOf(issue) }));
  return locateFaults(text, faults);
}

function structuralFaultsIn(text: string): readonly Fault[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the generator validated the schema
  const schema = JSON.parse(schemaText) as Schema;
  try {
    return explain(schema, parseWithPositions(text));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return [error.fault];
    throw error;
  }
}

function locateFaults(text: string, faults: readonly Fault[]): readonly LocatedFault[] {
  if (faults.length === 0) throw new TypeError("a contract without an error was refused");
  const ordered = faults.toSorted((a, b) => a.offset - b.offset);
  return addPositions(text, ordered).map(({ message, allowed, line, column }) => ({
    line,
    column,
    problem: message,
    allowed,
  }));
}
