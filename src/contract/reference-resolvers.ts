/** Describes how a value that is a reference to another store, such as `op://vault/item/field`, is resolved. */
import type { ReferenceForm } from "../core/reference-forms.ts";
import { shellWord } from "../core/shell.ts";

/**
 * Describes which program resolves a reference, and with which command.
 *
 * @param file the file that has the reference; undefined if the process environment has it
 * @returns lines, of which a command is one of its own
 */
export function describeResolver(form: ReferenceForm, file?: string): readonly [string, ...string[]] {
  const start = "sophia-run -- COMMAND";
  const option = (name: string): string => (file === undefined ? "" : ` ${name} ${shellWord(file)}`);
  switch (form) {
    case "op://":
      return ["1Password resolves it:", `  op run${option("--env-file")} -- ${start}`];
    case "bw://":
      return ["dotenvx resolves it, from Bitwarden:", `  dotenvx run${option("-f")} -- ${start}`];
    case "encrypted:":
      return ["dotenvx decrypts it:", `  dotenvx run${option("-f")} -- ${start}`];
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
