// Compares the licences in scripts/build/licences, which are distributed with the executables, with those of the sources.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../licences");

/** @param holds a library of versions.mjs. @returns the text of its licence */
export function licenceOf({ copy }) {
  return readFileSync(join(FOLDER, copy), "utf8");
}

/**
 * @param sources the folder of a package
 * @param holds a library in it
 * @throws if a new version has another licence
 */
export function compareLicence(sources, holds) {
  const path = join(sources, holds.folder, holds.text);
  if (readFileSync(path, "utf8") === licenceOf(holds)) return;
  throw new Error(`scripts/build/licences/${holds.copy} is not the licence of ${holds.name} ${holds.version}: ${path}`);
}
