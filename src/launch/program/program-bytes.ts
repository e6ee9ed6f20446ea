import { initialEntries, readStrings } from "../../system/own-environment.ts";
import type { Program } from "../types.ts";

/** The runtime's replacement for bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

/** Encodes a program for execve(2), each string ended by a NUL. The caller's strings keep bytes that are not UTF-8 (Linux). */
export function bytesOf(program: Program): Uint8Array {
  const strings = [program.file, ...program.argv];
  program.environment.forEach((value, name) => strings.push(`${name}=${value}`));
  const text = `${strings.join("\0")}\0`;
  return text.includes(REPLACEMENT) ? originalBytes(program) : Buffer.from(text);
}

function originalBytes({ file, argv, environment }: Program): Uint8Array {
  // Both argument lists end with the caller's words; variables are found by name.
  const given = readStrings("/proc/self/cmdline").toReversed();
  const words = argv.toReversed().map((word, index) => originalOf(word, given[index]));
  const variables = initialEntries();
  const entries = Array.from(environment, ([name, value]) => {
    const entry = `${name}=${value}`;
    return originalOf(entry, variables.get(entry));
  });
  const nul = Buffer.of(0);
  return Buffer.concat([Buffer.from(file), ...words.toReversed(), ...entries].flatMap((string) => [string, nul]));
}

/** Returns the original bytes if the string was decoded from them, else encodes it. */
function originalOf(string: string, original: Buffer | undefined): Buffer {
  return original?.toString("utf8") === string ? original : Buffer.from(string);
}
