/**
 * Reads the mark of an outer sophia-run, an ancestor of this process, that holds API keys (`--broker`):
 *
 *     SOPHIA_BROKERED=OPENAI_API_KEY,GITHUB_TOKEN
 *
 * The mark names the variables whose values are dummies, made-up values in place of the keys. The file is loaded only if the mark is set,
 * and for `--broker`.
 */
import { baseOf, compileBrokerEntry } from "../contract/broker/entry.ts";
import { BROKERED_VARIABLE } from "../contract/broker/broker-model.ts";
import { providerOf } from "../contract/broker/providers.ts";
import type { Contract, Violation } from "../contract/contract-model.ts";
import type { Environment } from "../core/model.ts";
import { namesInMark } from "../esc/settings/from-files.ts";
import type { Start } from "./start.ts";

/** Returns the names of the keys of which this process has dummies. */
export function readBrokeredNames(environment: Environment): readonly string[] {
  return namesInMark(environment, BROKERED_VARIABLE);
}

/**
 * Leaves out wrong formats of dummies and of the broker's addresses. The formats are those of the real values, which the outer
 * sophia-run has checked.
 */
export function excludeBrokered(
  violations: readonly Violation[],
  { environment, files, values }: Pick<Start, "environment" | "files" | "values">,
): readonly Violation[] {
  const replaced = findReplacedVariables(environment, files.contract);
  return violations.filter((violation) => {
    if (violation.kind !== "malformed" || !replaced.has(violation.name)) return true;
    // Another source may have replaced the dummy.
    return values.selected.get(violation.name)?.origin.source !== "environment";
  });
}

/** Returns the variables whose values are dummies, and those that may have the address of the outer broker, which uses http. */
export function findReplacedVariables(environment: Environment, contract: Contract): ReadonlySet<string> {
  const isHttp = (name: string): boolean => environment.get(name)?.startsWith("http://") === true;
  return new Set(
    readBrokeredNames(environment).flatMap((name) => [name, ...addressVariablesOf(name, contract).filter(isHttp)]),
  );
}

/** Returns the variables that have the address of the service of a key. */
function addressVariablesOf(name: string, { variables }: Contract): readonly string[] {
  const declaration = variables.get(name);
  const entry = declaration === undefined ? undefined : compileBrokerEntry(declaration);
  return Object.keys({ ...providerOf(name)?.base, ...(entry === undefined ? {} : baseOf(name, entry)) });
}
