import { readFileSync } from "node:fs";
import type { Program } from "./helpers.ts";

/** A program's argv and environment as bytes. */
export interface ProgramBytes {
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
}

/** Stands where the runtime has met bytes that are not UTF-8, or where the caller wrote it. */
const replacement = "\uFFFD";

/** Whether there may be arguments or variables that came from the caller and are not UTF-8. */
export function mayDifferFromOriginal({ argv, environment }: Program): boolean {
  let found = argv.some((argument) => argument.includes(replacement));
  environment.forEach((value, name) => {
    found ||= name.includes(replacement) || value.includes(replacement);
  });
  return found;
}

/**
 * Arguments and variables as bytes: those that came from the caller and are not UTF-8 as they came, which the kernel
 * still has (Linux); all others as UTF-8.
 */
export function originalBytes(program: Program): ProgramBytes {
  const entries = Array.from(program.environment, ([name, value]) => `${name}=${value}`);
  const differs = mayDifferFromOriginal(program);
  const bytes = (texts: readonly string[], file: string): readonly Uint8Array[] => {
    const originals = differs ? notUtf8(file) : new Map<string, Buffer[]>();
    return texts.map((text) => originals.get(text)?.shift() ?? Buffer.from(text));
  };
  return {
    argv: bytes(program.argv, "/proc/self/cmdline"),
    environment: bytes(entries, "/proc/self/environ"),
  };
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
