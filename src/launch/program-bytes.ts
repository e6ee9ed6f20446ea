import { readFileSync } from "node:fs";
import type { Program } from "./helpers.ts";

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
  const bytes = (texts: readonly string[], source: string): readonly Uint8Array[] => {
    const originals = notUtf8(source);
    return texts.map((text) => originals.get(text)?.shift() ?? Buffer.from(text));
  };
  const entries = Array.from(environment, ([name, value]) => `${name}=${value}`);
  const strings = [Buffer.from(file), ...bytes(argv, "/proc/self/cmdline"), ...bytes(entries, "/proc/self/environ")];
  const nul = Buffer.of(0);
  return Buffer.concat(strings.flatMap((string) => [string, nul]));
}

/** The strings of the file, each ended by a NUL, that are not UTF-8, by what the runtime makes of them. */
function notUtf8(file: string): Map<string, Buffer[]> {
  const found = new Map<string, Buffer[]>();
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return found; // no /proc
  }
  for (let start = 0; start < bytes.length;) {
    const nul = bytes.indexOf(0, start);
    const end = nul < 0 ? bytes.length : nul;
    const string = bytes.subarray(start, end);
    const text = string.toString("utf8");
    if (text.includes(replacement) && !Buffer.from(text).equals(string)) {
      found.set(text, [...(found.get(text) ?? []), string]);
    }
    start = end + 1;
  }
  return found;
}
