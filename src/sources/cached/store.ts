/** Reads and writes the files of the cache (`--cache`), and limits their size and number. seal.ts encrypts their content. */
import { lstatSync, readdirSync } from "node:fs";
import { within } from "../../system/paths.ts";
import { fileNameOf, readPrivate, removeQuietly, type UnusableFile, writePrivate } from "../../system/private-file.ts";

/** The maximum size of an entry, which is more than the largest answer of ESC that is read. */
const MAX_ENTRY_BYTES = 33_554_432;
/**
 * The maximum number of entries for the same environments. Each belongs to one token. No start learns that a token was replaced, so old
 * entries would otherwise stay for ever.
 */
const MAX_ENTRIES_PER_ORIGIN = 4;

/** Reads an entry, if it is a private file of this user. @returns the reason if it cannot be used */
export function readEntry(path: string): Buffer | UnusableFile {
  return readPrivate(path, { maxBytes: MAX_ENTRY_BYTES });
}

/**
 * Writes an entry, and then removes the oldest entries for the same environments if there are more than {@link MAX_ENTRIES_PER_ORIGIN}.
 *
 * @param unique a part of the temporary file's name that no other user can guess
 * @returns the reason if the entry cannot be written
 */
export function writeEntry(path: string, bytes: Uint8Array, unique: string): UnusableFile | undefined {
  return writePrivate(path, bytes, unique, {
    cleanUpFolder: (folder) => removeOldestEntries(folder, fileNameOf(path)),
  });
}

/**
 * Removes the entries that were not written for the longest time. Entries for the same environments have names with the same part before
 * the dash: `esc-<hash of the service and environments>-<hash of the token>`.
 */
function removeOldestEntries(folder: string, writtenName: string): void {
  const prefix = `${writtenName.slice(0, writtenName.lastIndexOf("-"))}-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp"));
  const entries = names.map((name) => {
    const path = within(folder, name);
    // The entry that was just written is never removed, even if a clock was wrong.
    const writtenAt = name === writtenName ? Infinity : (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return { path, writtenAt };
  });
  const newestFirst = entries.toSorted((a, b) => b.writtenAt - a.writtenAt);
  for (const { path } of newestFirst.slice(MAX_ENTRIES_PER_ORIGIN)) removeQuietly(path);
}
