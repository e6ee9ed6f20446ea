/** Reads and writes the files of the cache (`--cache`), and limits their size and number. seal.ts encrypts their content. */
import { lstatSync, readdirSync } from "node:fs";
import { within } from "../../system/paths.ts";
import { fileNameOf, readPrivate, removeQuietly, type UnusableFile, writePrivate } from "../../system/private-file.ts";

/** This is more than the largest answer of ESC that is read. */
const MAX_BYTES = 33_554_432;
/**
 * The maximum number of entries for the same environments. Each belongs to one token. No start learns that a token was replaced, so old
 * entries would otherwise stay for ever.
 */
const MAX_TOKENS = 4;

/** Reads an entry, if it is a private file of this user. @returns the reason if it cannot be used */
export function readEntry(path: string): Buffer | UnusableFile {
  return readPrivate(path, { maxBytes: MAX_BYTES });
}

/**
 * Writes an entry, and then removes unneeded entries for the same environments, whose names have the same part before the dash.
 *
 * @param unique a part of the name of the temporary file
 * @returns the reason if the entry cannot be written
 */
export function writeEntry(path: string, bytes: Uint8Array, unique: string): UnusableFile | undefined {
  return writePrivate(path, bytes, unique, { cleanUpFolder: (folder) => removeUnneeded(folder, fileNameOf(path)) });
}

/** Removes the entries of the tokens that were not used for the longest time. */
function removeUnneeded(folder: string, writtenName: string): void {
  const prefix = `${writtenName.slice(0, writtenName.lastIndexOf("-"))}-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp"));
  const dated = names.map((name) => {
    const path = within(folder, name);
    // The entry that was just written is always kept, even if a clock was wrong.
    const time = name === writtenName ? Infinity : (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return { path, time };
  });
  for (const { path } of dated.toSorted((a, b) => b.time - a.time).slice(MAX_TOKENS)) removeQuietly(path);
}
