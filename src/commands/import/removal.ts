import { statSync } from "node:fs";
import { enumerateFew } from "../../core/lines.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { count, printable, withoutMark } from "../../core/text.ts";
import { parseThoroughly } from "../../sources/dotenv/thorough.ts";
import { ask } from "../parts/confirm.ts";
import { type TargetFile, readIfThere, writePrivately } from "../parts/project-files.ts";
import type { Candidate } from "../parts/writing/write-plan.ts";
import { attempt } from "../../system/errors.ts";
import { printReport } from "../../output/colour.ts";

/** Offers to remove what ESC has from the file, atomically; then only its owner may read it. @throws SophiaError (file, 125) */
export async function offerRemoval(file: TargetFile, inEsc: readonly Candidate[], context: Context): Promise<void> {
  const names = inEsc.map(({ name }) => name);
  if (names.length === 0 || !isRegular(file.path)) return;
  const shown = printable(file.name);
  const question = `Remove ${enumerateFew(names.map(printable), 5)} from ${shown}, now that ESC has the values?`;
  if (!(await ask(question, context))) return;
  const text = await readIfThere(file);
  if (text === undefined) throw changed(shown);
  writePrivately(file, withoutAssignments(text, inEsc, shown));
  printReport(context, `Removed ${count(names.length, "variable")} from ${shown}; the other lines did not change.\n`);
}

/** Returns false for a pipe, from which nothing is removed. */
function isRegular(path: string): boolean {
  return attempt(() => statSync(path).isFile()) === true;
}

/** Removes assignments from a text. @throws SophiaError (file, 125) if it has other values for them now */
function withoutAssignments(text: string, gone: readonly Candidate[], shown: string): string {
  const { variables, assignments } = parseThoroughly(withoutMark(text), shown);
  const values = new Map(variables.map(({ name, value }) => [name, value]));
  const names = new Set(gone.map(({ name }) => name));
  if (gone.some(({ name, value }) => values.get(name) !== value)) throw changed(shown);
  const removed = new Set<number>();
  for (const { name, first, last } of assignments) {
    for (let line = first; names.has(name) && line <= last; line += 1) removed.add(line);
  }
  const lines = withoutMark(text).split(/(?<=\r\n|\n|\r(?!\n))/);
  const kept = lines.filter((_, index) => !removed.has(index)).join("");
  return text.startsWith("\uFEFF") ? `\uFEFF${kept}` : kept;
}

function changed(shown: string): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${shown} has changed meanwhile and was not written`,
    hint: "the values are in ESC; start again to remove them from the file",
  });
}
