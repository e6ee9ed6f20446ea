/**
 * Finds the errors in the text of a contract, with line and column. load-file.ts imports this only for a contract that
 * it has refused: its own checks are fast, but do not know positions.
 */
import { schemaText } from "../generated/schema-text.ts";
import type { LocatedFault } from "./contract-file-error.ts";
import { explainRejection } from "./explain-rejection.ts";
import {
  type Fault,
  type ContractIssue,
  JsonSyntaxError,
  addPositions,
  offsetFinder,
  parseWithPositions,
} from "./positions.ts";
import type { Schema } from "./schema.ts";

/**
 * Returns the errors of a text that `parseContract` of load-file.ts refuses, because it is not JSON or does not have
 * the form of the schema.
 */
export function findStructuralFaults(text: string): readonly LocatedFault[] {
  return locateFaults(text, structuralFaultsIn(text));
}

/** Adds positions to the issues of a contract that has the form of the schema. */
export function locateIssues(text: string, issues: readonly ContractIssue[]): readonly LocatedFault[] {
  const offsetOf = offsetFinder(parseWithPositions(text));
  const faults = issues.map((issue) => ({ ...issue, offset: offsetOf(issue) }));
  return locateFaults(text, faults);
}

function structuralFaultsIn(text: string): readonly Fault[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/contract/ has validated this text
  const schema = JSON.parse(schemaText) as Schema;
  try {
    return explainRejection(schema, parseWithPositions(text));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return [error.fault];
    throw error;
  }
}

/** @throws TypeError without faults, since then the fast check of load-file.ts has a bug */
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
