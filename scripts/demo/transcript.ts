/** Reads the commands of console blocks, and writes the scripts that run them for transcripts. */
import { shellQuoted } from "../../src/core/shell.ts";

/** Returns a script for bash that runs the commands of a console block, each behind its prompt, as a terminal shows them. */
export function transcript(lines: string): string {
  // `$?` stays that of the command before.
  const prompt = (line: string): string => `status=$?; printf '%s\\n' ${shellQuoted(line)}; (exit "$status")`;
  return commandsOf(lines)
    .map((command) => `${prompt(`$ ${command}`)}\n${command}\n`)
    .join("");
}

/** Returns the commands of a console block. */
export function commandsOf(lines: string): readonly string[] {
  return lines
    .split("\n")
    .filter((line) => line.startsWith("$ "))
    .map((line) => line.slice(2));
}
