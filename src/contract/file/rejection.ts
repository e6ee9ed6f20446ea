/** The errors of a contract file, with line and column; pure. Loaded only for a faulty one. */
import { SophiaError } from "../../core/error.ts";
import { count, printable } from "../../core/text.ts";
import { schemaText } from "../generated/schema-text.ts";
import { explain } from "./explain-rejection.ts";
import {
  type Fault,
  type Issue,
  JsonSyntaxError,
  lineAndColumn,
  offsetFinder,
  parseWithPositions,
} from "./positions.ts";
import type { Schema } from "./schema.ts";

const MOST_SHOWN = 20;

/** Returns the error (contract-invalid, 125) for a text that `parseContract` refuses. @param name of the file */
export function malformedContract(text: string, name: string): SophiaError {
  return rejection(text, name, structuralFaults(text));
}

/** Returns the error (contract-invalid, 125) for a contract that has the form of the schema, but contradicts itself. */
export function contradictoryContract(text: string, name: string, issues: readonly Issue[]): SophiaError {
  const offsetOf = offsetFinder(parseWithPositions(text));
  const faults = issues.map((issue) => ({ ...issue, offset: offsetOf(issue) }));
  return rejection(text, name, faults);
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

function rejection(text: string, name: string, faults: readonly Fault[]): SophiaError {
  const [first, ...others] = faults
    .toSorted((a, b) => a.offset - b.offset)
    .slice(0, MOST_SHOWN)
    .map(({ offset, message, allowed }) => {
      const { line, column } = lineAndColumn(text, offset);
      return { problem: printable(`${name}:${line}:${column}: ${message}`), allowed: printable(`allowed: ${allowed}`) };
    });
  if (first === undefined) throw new TypeError("a contract without an error was refused");
  if (others.length === 0) {
    return new SophiaError({ code: "contract-invalid", message: first.problem, hint: first.allowed });
  }
  const details = [first, ...others].map(({ problem, allowed }) => `${problem}; ${allowed}`);
  if (faults.length > MOST_SHOWN) details.push(`and ${faults.length - MOST_SHOWN} more`);
  return new SophiaError({
    code: "contract-invalid",
    message: `the contract ${printable(name)} has ${count(faults.length, "error")}`,
    hint: "fix them from the top",
    details,
  });
}
