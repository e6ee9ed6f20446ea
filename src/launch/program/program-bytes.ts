import { readFileSync } from "node:fs";
import type { Program } from "../types.ts";

/** The character that the runtime makes of bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

/**
 * A program's file, arguments and variables as execve(2) takes them, each ended by a NUL. What came from the caller and is
 * not UTF-8 is as it came: the kernel still has it (Linux).
 */
export function bytesOf(program: Program): Uint8Array {
  const strings = [program.file, ...program.argv];
  program.environment.forEach((value, name) => strings.push(`${name}=${value}`));
  const text = `${strings.join("\0")}\0`;
  return text.includes(REPLACEMENT) ? originalBytes(program) : Buffer.from(text);
}

function originalBytes({ file, argv, environment }: Program): Uint8Array {
  // The caller's words stand at the end of this process's arguments as of the program's; a variable has its name.
  const given = readStrings("/proc/self/cmdline").toReversed();
  const words = argv.toReversed().map((word, index) => originalOf(word, given[index]));
  const variables = new Map(readStrings("/proc/self/environ").map((string) => [string.toString("utf8"), string]));
  const entries = Array.from(environment, ([name, value]) => {
    const entry = `${name}=${value}`;
    return originalOf(entry, variables.get(entry));
  });
  const nul = Buffer.of(0);
  return Buffer.concat([Buffer.from(file), ...words.toReversed(), ...entries].flatMap((string) => [string, nul]));
}

/** The bytes that the runtime has made this string of, if it is these. */
function originalOf(string: string, original: Buffer | undefined): Buffer {
  return original?.toString("utf8") === string ? original : Buffer.from(string);
}

/** The strings of a file of /proc, each ended by a NUL; none where there is no /proc. */
function readStrings(file: string): readonly Buffer[] {
  try {
    const strings = readFileSync(file, "latin1").replace(/\0$/, "").split("\0");
    return strings.map((string) => Buffer.from(string, "latin1"));
  } catch {
    return [];
  }
}
