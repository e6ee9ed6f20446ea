/**
 * Describes which program resolves a reference. A reference is a value such as `op://vault/item/field`, which names a
 * secret in another store instead of containing it. sophia-run refuses to start a program with one, and shows these
 * lines.
 */
import type { ReferenceForm } from "../core/reference-forms.ts";
import { shellWord } from "../core/shell.ts";

/**
 * Describes how to resolve a reference.
 *
 * @param file the file that has the reference; undefined if the process environment has it
 * @returns an explanation and, in most cases, a command to paste, as a line that begins with two spaces
 */
export function describeResolver(form: ReferenceForm, file?: string): readonly [string, ...string[]] {
  const start = "sophia-run -- COMMAND";
  const fileOption = (name: string): string => (file === undefined ? "" : ` ${name} ${shellWord(file)}`);
  switch (form) {
    case "op://":
      return ["1Password resolves it:", `  op run${fileOption("--env-file")} -- ${start}`];
    case "bw://":
      return ["dotenvx resolves it, from Bitwarden:", `  dotenvx run${fileOption("-f")} -- ${start}`];
    case "encrypted:":
      return ["dotenvx decrypts it:", `  dotenvx run${fileOption("-f")} -- ${start}`];
    case "vault:":
      return ["vault-env resolves it, from the environment:", `  vault-env ${start}`];
    case "ref+":
      return ["vals resolves it, from a YAML file of names:", `  vals exec -f FILE -- ${start}`];
    case "awssm://":
      return ["start sophia-run by the program that resolves it, or write the value"];
    case "${X}":
    case "$X":
    case "$(…)":
    case "`…`":
    case "$X in text":
    case "$(…) in text":
      return ["no shell reads it here: write the value, or put text in single quotes"];
  }
}
