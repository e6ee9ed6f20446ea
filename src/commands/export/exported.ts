import type { Start } from "../../resolve/start.ts";
import { isDeclared } from "../../contract/check-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { FROM_FILES } from "../../esc/settings/from-files.ts";
import type { Resolved } from "../../core/model.ts";
import { isHidden } from "../../resolve/secret-values.ts";

export interface Exported {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
}

export interface VariableFormat {
  /** Returns why the format, or a program that reads it, cannot hold the variable. The words contain no value. */
  readonly fault: (variable: Exported) => string | undefined;
  readonly write: (variables: readonly Exported[]) => string;
}

export function invalidName(name: string): string | undefined {
  return /^[A-Za-z_]\w*$/.test(name) ? undefined : "its name must consist of letters, digits and _";
}

/** Returns why no text file can hold the value: a NUL ends strings, half of a surrogate pair has no bytes in UTF-8. */
export function textFault(value: string): string | undefined {
  if (value.includes("\0")) return "its value has a NUL character";
  return value.isWellFormed() ? undefined : "its value is not Unicode text";
}

/** Collects the variables that sophia-run adds or that are declared: the contract's first, in its order. */
export function collect({ files: { contract }, values: { selected } }: Start): {
  readonly variables: readonly Exported[];
  readonly files: readonly string[];
} {
  const others = [...selected.keys()].filter((name) => !contract.variables.has(name)).toSorted();
  const variables: Exported[] = [];
  const files: string[] = [];
  for (const name of [...contract.variables.keys(), ...others]) {
    const resolved = selected.get(name);
    if (resolved === undefined) continue;
    const isOfCaller = resolved.origin.source === "environment" && name !== FROM_FILES;
    if (isOfCaller && !isDeclared(contract, name)) continue;
    if (resolved.delivery === "file") files.push(name);
    else variables.push({ name, value: resolved.value, secret: isSecretValue(contract, resolved) });
  }
  return { variables, files };
}

/** Returns true for a secret of the contract or of ESC, for what holds a credential, and for undeclared variables of files. */
export function isSecretValue(contract: Contract, variable: Resolved): boolean {
  return (variable.secret && variable.origin.source === "esc") || isHidden(contract, variable);
}
