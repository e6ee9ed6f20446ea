import type { Context } from "../context.ts";

/** What may stand at the end of a command line that is being typed. */
export function complete(words: readonly string[], _context: Context): string {
  return words.join("\n");
}
