/** Fills a folder of `.cache` once for all test files, such as one with packages from a registry. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Fills a folder unless it exists, and returns its path. Several test files may call this for one folder at the same time. Each of
 * them fills a folder of its own, and the first to end renames its folder.
 *
 * @param fill is called with the path of an empty folder, which is renamed afterwards
 */
export function fillFolderOnce(folder: string, fill: (unfinishedFolder: string) => void): string {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinishedFolder = mkdtempSync(`${folder}.unfinished-`);
  try {
    fill(unfinishedFolder);
    renameSync(unfinishedFolder, folder);
  } catch (error) {
    // Another test file may have filled the folder first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinishedFolder, { recursive: true, force: true });
  }
  return folder;
}
