/** Removes from a `.env` file the variables that `sophia-run import` has written to ESC, if the user agrees. */
import { statSync } from "node:fs";
import { enumerateFew } from "../../core/lines.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { count, printable, withoutMark } from "../../core/text.ts";
import { parseThoroughly } from "../../sources/dotenv/thorough.ts";
import { askYesOrNo } from "../parts/confirm.ts";
import { type TargetFile, readFileIfExists, writePrivateFile } from "../parts/project-files.ts";
import type { ValueToWrite } from "../parts/writing/value-to-write.ts";
import { attempt } from "../../system/errors.ts";
import { printReport } from "../../output/colour.ts";

/**
 * Asks the user whether to remove from the file the values that ESC has, and removes them. The file is replaced atomically,
 * and only its owner may read the new file.
 *
 * @throws SophiaError (file, 125) if the file has changed since it was imported, or cannot be written
 */
export async function offerRemoval(
  file: TargetFile,
  valuesInEsc: readonly ValueToWrite[],
  context: Context,
): Promise<void> {
  const names = valuesInEsc.map(({ name }) => name);
  if (names.length === 0 || !isRegularFile(file.path)) return;
  const printableName = printable(file.name);
  const question = `Remove ${enumerateFew(names.map(printable), 5)} from ${printableName}, now that ESC has the values?`;
  if (!(await askYesOrNo(question, context))) return;
  const text = await readFileIfExists(file);
  if (text === undefined) throw createChangedFileError(printableName);
  writePrivateFile(file, removeAssignments(text, valuesInEsc, printableName));
  printReport(
    context,
    `Removed ${count(names.length, "variable")} from ${printableName}; the other lines did not change.\n`,
  );
}

/** Returns false for a named pipe and the like, from which nothing can be removed. */
function isRegularFile(path: string): boolean {
  return attempt(() => statSync(path).isFile()) === true;
}

/**
 * Returns the text without the assignments of the values. Line ends and a byte order mark stay.
 *
 * @throws SophiaError (file, 125) if the text assigns another value to one of the names, since ESC does not have that value
 */
function removeAssignments(text: string, valuesInEsc: readonly ValueToWrite[], printableName: string): string {
  const content = withoutMark(text);
  const { variables, assignments } = parseThoroughly(content, printableName);
  const currentValues = new Map(variables.map(({ name, value }) => [name, value]));
  if (valuesInEsc.some(({ name, value }) => currentValues.get(name) !== value))
    throw createChangedFileError(printableName);
  const namesToRemove = new Set(valuesInEsc.map(({ name }) => name));
  const lineIndexes = new Set<number>();
  for (const { name, first, last } of assignments) {
    if (!namesToRemove.has(name)) continue;
    for (let index = first; index <= last; index += 1) lineIndexes.add(index);
  }
  const lines = content.split(/(?<=\r\n|\n|\r(?!\n))/);
  const remainingText = lines.filter((_, index) => !lineIndexes.has(index)).join("");
  return text.startsWith("\uFEFF") ? `\uFEFF${remainingText}` : remainingText;
}

function createChangedFileError(printableName: string): SophiaError {
  return new SophiaError({
    code: "file",
    message: `${printableName} has changed meanwhile and was not written`,
    hint: "the values are in ESC; start again to remove them from the file",
  });
}
