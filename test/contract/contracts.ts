/** Contracts and resolutions for the tests of src/contract. */
import { join } from "node:path";
import { checkContract } from "../../src/contract/check-contract.ts";
import { compileContract } from "../../src/contract/file/compile.ts";
import { createBrokerCheck } from "../../src/contract/file/validate-brokers.ts";
import { findDefaultDanger } from "../../src/contract/file/dangerous-default.ts";
import { validateDocument } from "../../src/contract/file/validate-document.ts";
import { parseContract } from "../../src/contract/file/load-file.ts";
import { createFormatCheck } from "../../src/contract/format.ts";
import { ContractFileError, type LocatedFault } from "../../src/contract/file/contract-file-error.ts";
import { locateIssues, findStructuralFaults } from "../../src/contract/file/locate-faults.ts";
import type { CheckedViolation, Contract } from "../../src/contract/contract-model.ts";
import { SophiaError } from "../../src/core/error.ts";
import type { Origin, Resolution, ResolvedVariable } from "../../src/core/model.ts";
import { completeFailure } from "../../src/output/stderr.ts";

export const root = join(import.meta.dirname, "..", "..");

/** Returns the contract that a file with this content declares, validated as a file is. */
export function contractOf(document: unknown, profile?: string): Contract {
  const source = { kind: "file", path: "/repository/sophia.contract.json" } as const;
  const text = JSON.stringify(document);
  const parsed = parseContract(text);
  const refuse = (faults: readonly LocatedFault[]): never => {
    throw new ContractFileError("/repository/sophia.contract.json", "/repository", { kind: "faults", faults });
  };
  if (parsed === undefined) return refuse(findStructuralFaults(text));
  const issues = validateDocument(parsed, {
    findDefaultDanger: findDefaultDanger,
    findBrokerIssues: createBrokerCheck(parsed),
  });
  if (issues.length > 0) return refuse(locateIssues(text, issues));
  return compileContract(parsed, source, profile);
}

/** Returns a contract as starts have it. No start carries the probes of the built-in contract. */
export function withoutProbes<Part extends Pick<Contract, "variables">>({ variables, ...rest }: Part) {
  const declarations = Array.from(
    variables,
    ([name, { probe: _probe, ...declaration }]) => [name, declaration] as const,
  );
  return { ...rest, variables: new Map(declarations) };
}

/** Returns a resolution in which each variable has the origin `origin`, by default the environment. */
export function resolutionOf(
  values: Readonly<Record<string, string>>,
  origin: Origin = { source: "environment" },
): Resolution {
  return new Map(Object.entries(values).map(([name, value]) => [name, createResolvedVariable(name, value, origin)]));
}

/** Returns a resolved variable that is secret, and hides no variable of another source. */
export function createResolvedVariable(name: string, value: string, origin: Origin): ResolvedVariable {
  return { name, value, secret: true, origin, delivery: "value", shadowed: [] };
}

/** Returns the violations of the contract's rules, and of the formats of its values. */
export function findViolations(contract: Contract, resolution: Resolution): readonly CheckedViolation[] {
  return checkContract(contract, resolution, createFormatCheck());
}

/** Returns a line for each violation, such as `missing API_KEY`, which is short enough for a table of cases. */
export function summarizeViolations(violations: readonly CheckedViolation[]): readonly string[] {
  return violations.map((violation) => {
    switch (violation.kind) {
      case "missing":
      case "missing-when":
      case "placeholder":
      case "reference":
        return `${violation.kind} ${violation.name}`;
      case "malformed":
        return `malformed ${violation.name} ${violation.fault.kind}`;
      case "none-set":
        return `none-set ${violation.rule.group}`;
      case "several-set":
        return `several-set ${violation.rule.group}: ${violation.set.join(" ")}`;
      case "some-missing":
        return `some-missing ${violation.rule.group}: ${violation.missing.join(" ")}`;
      default:
        return violation satisfies never;
    }
  });
}

/**
 * Returns the failure that the function throws, with its text. If the function throws another error, or none, the test
 * fails.
 */
export async function catchFailure(run: () => unknown): Promise<SophiaError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof SophiaError) return new SophiaError(await completeFailure(error), error.status);
    throw error;
  }
  throw new Error("nothing was thrown");
}
