import { readFileSync } from "node:fs";
import type { Program } from "../helpers.ts";

/** Stands where the runtime has met bytes that are not UTF-8, or where the caller wrote it. */
const replacement = "\uFFFD";

/** Whether there may be arguments or variables that came from the caller and are not UTF-8. */
export function mayDifferFromOriginal(program: Program): boolean {
  return textOf(program).includes(replacement);
}

/**
 * A program's file, arguments and variables as execve(2) has them, each ended by a NUL: those that came from the caller
 * and are not UTF-8 as they came, which the kernel still has (Linux); all others as UTF-8.
 */
export function bytesOf(program: Program): Uint8Array {
  const text = textOf(program);
  return text.includes(replacement) ? originalBytes(program) : Buffer.from(text);
}

function textOf({ file, argv, environment }: Program): string {
  let text = `${file}\0${argv.join("\0")}\0`;
  environment.forEach((value, name) => {
    text += `${name}=${value}\0`;
  });
  return text;
}

function originalBytes({ file, argv, environment }: Program): Uint8Array {
  // What the caller wrote stands at the end of this process's arguments as of the program's; a variable has its name.
  const given = stringsOf("/proc/self/cmdline").toReversed();
  const words = argv.toReversed().map((text, index) => originalOf(text, given[index]));
  const variables = new Map(stringsOf("/proc/self/environ").map((string) => [string.toString("utf8"), string]));
  const entries = Array.from(environment, ([name, value]) => {
    const text = `${name}=${value}`;
    return originalOf(text, variables.get(text));
  });
  const nul = Buffer.of(0);
  return Buffer.concat([Buffer.from(file), ...words.toReversed(), ...entries].flatMap((string) => [string, nul]));
}

/** The bytes that the runtime has made this text of, if it is these. */
function originalOf(text: string, original: Buffer | undefined): Buffer {
  return original?.toString("utf8") === text ? original : Buffer.from(text);
}

/** The strings of a file of /proc, each ended by a NUL; none where there is no /proc. */
function stringsOf(file: string): readonly Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return [];
  }
  const strings: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const nul = bytes.indexOf(0, start);
    const end = nul < 0 ? bytes.length : nul;
    strings.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return strings;
}
