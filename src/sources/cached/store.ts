/** The files of the cache: their size, and which of them are removed. */
import { lstatSync, readdirSync } from "node:fs";
import { within } from "../../system/paths.ts";
import { fileNameOf, readPrivate, removeQuietly, type UnusableFile, writePrivate } from "../../system/private-file.ts";

/** More than the largest answer of ESC that is read. */
const MAX_BYTES = 33_554_432;
/** The maximum number of tokens with entries for the same environments: no start knows that a token was replaced. */
const MOST_TOKENS = 4;

export function readEntry(path: string): Buffer | UnusableFile {
  return readPrivate(path, { maxBytes: MAX_BYTES });
}

/** Writes an entry, then removes unneeded ones for the same environments, whose names agree up to a dash. */
export function writeEntry(path: string, bytes: Uint8Array, unique: string): UnusableFile | undefined {
  return writePrivate(path, bytes, unique, { tidy: (folder) => removeUnneeded(folder, fileNameOf(path)) });
}

/** Removes the entries of the tokens that were not used for the longest time. */
function removeUnneeded(folder: string, written: string): void {
  const ofSame = `${written.slice(0, written.lastIndexOf("-"))}-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(ofSame) && !name.endsWith(".tmp"));
  const dated = names.map((name) => {
    const path = within(folder, name);
    return { path, at: name === written ? Infinity : (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) };
  });
  for (const { path } of dated.toSorted((one, other) => other.at - one.at).slice(MOST_TOKENS)) removeQuietly(path);
}
