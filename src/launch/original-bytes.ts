import { readFileSync } from "node:fs";
import type { Program } from "./helpers.ts";

/** A program's argv and environment as bytes. */
export interface ProgramBytes {
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
}

/**
 * Arguments and variables that came from the caller and are not UTF-8, as they came: the runtime has put U+FFFD in
 * the place of their bytes, the kernel still has them (Linux).
 *
 * @returns undefined when all are UTF-8, which costs a look at each string
 */
export function originalBytes({ argv, environment }: Program): ProgramBytes | undefined {
  const entries = Array.from(environment, ([name, value]) => `${name}=${value}`);
  if (![...argv, ...entries].some((text) => text.includes("\uFFFD"))) return undefined;
  const fromCaller = { argv: notUtf8("/proc/self/cmdline"), environment: notUtf8("/proc/self/environ") };
  if (fromCaller.argv.size + fromCaller.environment.size === 0) return undefined;
  const take = (originals: Map<string, Buffer[]>, text: string): Buffer =>
    originals.get(text)?.shift() ?? Buffer.from(text);
  return {
    argv: argv.map((argument) => take(fromCaller.argv, argument)),
    environment: entries.map((entry) => take(fromCaller.environment, entry)),
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
    if (text.includes("\uFFFD") && !Buffer.from(text).equals(string)) {
      found.set(text, [...(found.get(text) ?? []), string]);
    }
    start = end + 1;
  }
  return found;
}
