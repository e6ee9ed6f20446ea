import type { ReferenceForm } from "../core/reference-forms.ts";
import { shellWord } from "../core/shell.ts";

/** Words how a reference gets its value; a command is a line of its own. @param file that has it, unless the environment has */
export function resolutionOf(form: ReferenceForm, file?: string): readonly [string, ...string[]] {
  const run = "sophia-run -- COMMAND";
  const option = (name: string): string => (file === undefined ? "" : ` ${name} ${shellWord(file)}`);
  switch (form) {
    case "op://":
      return ["1Password resolves it:", `  op run${option("--env-file")} -- ${run}`];
    case "bw://":
      return ["dotenvx resolves it, from Bitwarden:", `  dotenvx run${option("-f")} -- ${run}`];
    case "encrypted:":
      return ["dotenvx decrypts it:", `  dotenvx run${option("-f")} -- ${run}`];
    case "vault:":
      return ["vault-env resolves it, from the environment:", `  vault-env ${run}`];
    case "ref+":
      return ["vals resolves it, from a YAML file of names:", `  vals exec -f FILE -- ${run}`];
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
