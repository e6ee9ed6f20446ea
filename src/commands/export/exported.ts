/** The variables that `export` prints, and what each of its formats must provide. The GitHub Action uses both as well. */
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

/** A format for variables, such as that of `.env` files. The caller must write only variables without a fault. */
export interface VariableFormat {
  /** Returns the reason why the format, or a program that reads it, cannot hold the variable. The text contains no value. */
  readonly fault: (variable: Exported) => string | undefined;
  /** Returns the content of the whole file. */
  readonly write: (variables: readonly Exported[]) => string;
}

/** Returns the reason why the name cannot be that of a shell's variable; undefined if it can. */
export function invalidName(name: string): string | undefined {
  return /^[A-Za-z_]\w*$/.test(name) ? undefined : "its name must consist of letters, digits and _";
}

/**
 * Returns the reason why no text file can hold the value; undefined if it can. Programs in C end a string at a NUL, and half of a
 * surrogate pair cannot be written in UTF-8.
 */
export function textFault(value: string): string | undefined {
  if (value.includes("\0")) return "its value has a NUL character";
  return value.isWellFormed() ? undefined : "its value is not Unicode text";
}

/**
 * Collects the variables that sophia-run adds, and those that the contract declares. The declared ones come first, in the contract's
 * order. `files` has the names of those that a program would get as private files, which are not exported.
 */
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
    // FROM_FILES is added by sophia-run, although its origin is the environment.
    const isOfCaller = resolved.origin.source === "environment" && name !== FROM_FILES;
    if (isOfCaller && !isDeclared(contract, name)) continue;
    if (resolved.delivery === "file") files.push(name);
    else variables.push({ name, value: resolved.value, secret: isSecretValue(contract, resolved) });
  }
  return { variables, files };
}

/** Returns true if the value must not be shown: ESC keeps it as a secret, or reports hide it (`isHidden`). */
export function isSecretValue(contract: Contract, variable: Resolved): boolean {
  return (variable.secret && variable.origin.source === "esc") || isHidden(contract, variable);
}
