/** Values that an outer sophia-run has put in place of keys and addresses (`--broker`). Loaded only for those, and for `--broker`. */
import { baseOf, brokerEntryOf } from "../contract/broker/entry.ts";
import { BROKERED_VARIABLE } from "../contract/broker/broker-model.ts";
import { providerOf } from "../contract/broker/providers.ts";
import type { Contract, Violation } from "../contract/contract-model.ts";
import type { Environment } from "../core/model.ts";
import type { Start } from "./start.ts";

/** Returns the keys of which this process has dummies. */
export function brokeredNames(environment: Environment): readonly string[] {
  return (environment.get(BROKERED_VARIABLE) ?? "").split(",").filter((name) => name !== "");
}

/** Leaves out those of dummies and of the broker's addresses: formats are for what these stand for, and the outer one checks it. */
export function excludeBrokered(
  violations: readonly Violation[],
  { environment, files, values }: Pick<Start, "environment" | "files" | "values">,
): readonly Violation[] {
  const replaced = replacedVariables(environment, files.contract);
  return violations.filter((violation) => {
    if (violation.kind !== "malformed" || !replaced.has(violation.name)) return true;
    return values.selected.get(violation.name)?.origin.source !== "environment";
  });
}

/** Returns the variables in which the environment has dummies, or may have the outer one's own address, which is one of http. */
export function replacedVariables(environment: Environment, contract: Contract): ReadonlySet<string> {
  const isHttp = (name: string): boolean => environment.get(name)?.startsWith("http://") === true;
  return new Set(brokeredNames(environment).flatMap((name) => [name, ...addressesFor(name, contract).filter(isHttp)]));
}

function addressesFor(name: string, { variables }: Contract): readonly string[] {
  const declaration = variables.get(name);
  const entry = declaration === undefined ? undefined : brokerEntryOf(declaration);
  return Object.keys({ ...providerOf(name)?.base, ...(entry === undefined ? {} : baseOf(name, entry)) });
}
