/**
 * Finds the line and the column of each error in a contract that load-file.ts has refused. load-file.ts imports this
 * only then: its own checks are fast, but do not know positions.
 *
 *     { "variables": { "PORT": { "format": "prot" } } }      line 1, column 38: unknown value: did you mean "port"?
 */
import { schemaText } from "../generated/schema-text.ts";
import type { LocatedFault } from "./contract-file-error.ts";
import { explainRejection } from "./explain-rejection.ts";
import {
  type Fault,
  type ContractIssue,
  JsonSyntaxError,
  addPositions,
  createOffsetFinder,
  parseWithPositions,
} from "./positions.ts";
import type { Schema } from "./schema.ts";

/**
 * Returns the errors of a text that `parseContract` of load-file.ts refuses, because it is not JSON or does not have
 * the form of the schema.
 */
export function findStructuralFaults(text: string): readonly LocatedFault[] {
  return locateFaults(text, explainStructuralFaults(text));
}

/** Adds positions to the issues of a contract that has the form of the schema. */
export function locateIssues(text: string, issues: readonly ContractIssue[]): readonly LocatedFault[] {
  const findOffset = createOffsetFinder(parseWithPositions(text));
  const faults = issues.map((issue) => ({ ...issue, offset: findOffset(issue) }));
  return locateFaults(text, faults);
}

function explainStructuralFaults(text: string): readonly Fault[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/contract/ has validated this text
  const schema = JSON.parse(schemaText) as Schema;
  try {
    return explainRejection(schema, parseWithPositions(text));
  } catch (error) {
    if (error instanceof JsonSyntaxError) return [error.fault];
    throw error;
  }
}

/**
 * Adds positions to faults, and sorts them by position.
 *
 * @throws TypeError without faults: then load-file.ts has refused a text in which this file finds no error
 */
function locateFaults(text: string, faults: readonly Fault[]): readonly LocatedFault[] {
  if (faults.length === 0) throw new TypeError("a contract without an error was refused");
  const sortedFaults = faults.toSorted((a, b) => a.offset - b.offset);
  return addPositions(text, sortedFaults).map(({ message, allowed, line, column }) => ({
    line,
    column,
    problem: message,
    allowed,
  }));
}
