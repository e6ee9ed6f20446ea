// Compares what versions.mjs and runtime/build/licences state of a library with its sources: notices, SBOM and `node scripts/parts.mjs` have
// it from there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BuildFailure } from "../failure.mjs";

const FOLDER = join(import.meta.dirname, "../licences");

/** @param holds a library of versions.mjs. @returns the text of its licence */
export function licenceOf({ copy }) {
  return readFileSync(join(FOLDER, copy), "utf8");
}

/**
 * @param sources the folder of a package
 * @param packageVersion its version
 * @param holds a library in it
 * @throws if the sources have another version, or another licence
 */
export function compareLibrary(sources, packageVersion, holds) {
  const { name, version, folder, text, copy, stated, osv } = holds;
  const read = (file) => readFileSync(join(sources, folder, file), "utf8");
  const [from, actual] = stated === undefined ? ["its package", packageVersion] : [stated[0], statedIn(read, stated)];
  if (actual !== version) throw new BuildFailure(`${name} is ${actual} by ${from}, not ${version} as in versions.mjs`);
  if (osv !== undefined && !osv.version.includes(version))
    throw new BuildFailure(`${name} is ${version}, and not so for OSV: ${osv.version}`);
  if (read(text) === licenceOf(holds)) return;
  throw new BuildFailure(
    `runtime/build/licences/${copy} is not the licence of ${name} ${version} (${text} of its sources)`,
  );
}

/** Returns the version that a file of the sources states. */
function statedIn(read, [file, pattern]) {
  const numbers = pattern.exec(read(file))?.slice(1) ?? ["of no known version"];
  return numbers.length === 1 ? numbers[0] : numbers.map(Number).join(".");
}
