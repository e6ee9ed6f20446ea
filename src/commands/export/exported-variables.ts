/**
 * Collects the variables that `sophia-run export` prints, and declares what each of its formats must provide. The GitHub action of
 * sophia-run exports those of them that the contract declares.
 */
import type { Start } from "../../resolve/start.ts";
import { isDeclared } from "../../contract/check-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { FROM_FILES } from "../../esc/settings/from-files.ts";
import type { ResolvedVariable } from "../../core/model.ts";
import { isHidden } from "../../resolve/secret-values.ts";

export interface ExportedVariable {
  readonly name: string;
  readonly value: string;
  /** True if the value must not appear in a log. */
  readonly secret: boolean;
}

/** A format for variables, such as that of `.env` files. The caller must call `write` only with variables that have no fault. */
export interface VariableFormat {
  /**
   * Returns the reason why the format, or a program that reads it, cannot hold the variable. The text contains no value.
   */
  readonly findFault: (variable: ExportedVariable) => string | undefined;
  /** Returns the content of the whole file. */
  readonly write: (variables: readonly ExportedVariable[]) => string;
}

/** Returns the reason why a shell cannot have a variable of this name; undefined if it can. */
export function findShellNameFault(name: string): string | undefined {
  return /^[A-Za-z_]\w*$/.test(name) ? undefined : "its name must consist of letters, digits and _";
}

/**
 * Returns the reason why no text file can hold the value; undefined if it can. Programs in C end a string at a NUL, and
 * half of a surrogate pair cannot be written in UTF-8.
 */
export function findTextFault(value: string): string | undefined {
  if (value.includes("\0")) return "its value has a NUL character";
  return value.isWellFormed() ? undefined : "its value is not Unicode text";
}

/**
 * Collects the variables that sophia-run adds, and those that the contract declares. The declared ones come first, in the
 * contract's order. `fileNames` has the names of those that a program would get as private files, which are not exported.
 */
export function collectVariables({ files: { contract }, values: { selected } }: Start): {
  readonly variables: readonly ExportedVariable[];
  readonly fileNames: readonly string[];
} {
  const undeclaredNames = [...selected.keys()].filter((name) => !contract.variables.has(name)).toSorted();
  const variables: ExportedVariable[] = [];
  const fileNames: string[] = [];
  for (const name of [...contract.variables.keys(), ...undeclaredNames]) {
    const resolved = selected.get(name);
    if (resolved === undefined) continue;
    // sophia-run itself adds FROM_FILES, although its origin is the environment.
    const isFromCaller = resolved.origin.source === "environment" && name !== FROM_FILES;
    if (isFromCaller && !isDeclared(contract, name)) continue;
    if (resolved.delivery === "file") fileNames.push(name);
    else variables.push({ name, value: resolved.value, secret: isSecretValue(contract, resolved) });
  }
  return { variables, fileNames };
}

/** Returns true if the value must not be shown: ESC keeps it as a secret, or reports hide it (`isHidden`). */
export function isSecretValue(contract: Contract, variable: ResolvedVariable): boolean {
  return (variable.secret && variable.origin.source === "esc") || isHidden(contract, variable);
}
