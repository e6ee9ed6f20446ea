// Compares what versions.mjs and runtime/build/licences state about a library with its sources: its version and its licence. The
// notices, the SBOM and `node scripts/parts.mjs` state the same, and rely on this comparison.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BuildFailure } from "../failure.mjs";

/** @typedef {import("./versions.mjs").Library} Library */

const LICENCES_FOLDER = join(import.meta.dirname, "../licences");

/** @param {Library} library @returns the text of its licence, from runtime/build/licences */
export function readLicence({ licenceCopy }) {
  return readFileSync(join(LICENCES_FOLDER, licenceCopy), "utf8");
}

/**
 * Compares a library with the sources that the build has fetched.
 *
 * @param packageFolder the folder with the sources of the package
 * @param packageVersion the version of the package
 * @param {Library} library a library in the package
 * @throws BuildFailure if the sources have another version or another licence
 */
export function expectLibrary(packageFolder, packageVersion, library) {
  const { name, version, folder, licenceFile, licenceCopy, versionSource, osvPackage } = library;
  const readSource = (file) => readFileSync(join(packageFolder, folder, file), "utf8");
  const statedIn = versionSource?.file ?? "its package";
  const statedVersion =
    versionSource === undefined ? packageVersion : parseVersion(readSource(versionSource.file), versionSource.pattern);
  if (statedVersion !== version)
    throw new BuildFailure(`${name} is ${statedVersion} by ${statedIn}, not ${version} as in versions.mjs`);
  if (osvPackage !== undefined && !osvPackage.version.includes(version))
    throw new BuildFailure(`${name} is ${version}, and not so for OSV: ${osvPackage.version}`);
  if (readSource(licenceFile) === readLicence(library)) return;
  throw new BuildFailure(
    `runtime/build/licences/${licenceCopy} is not the licence of ${name} ${version} (${licenceFile} of its sources)`,
  );
}

/**
 * Returns the version in the text of a source file, such as `1.4` in `#define ZLIB_VERSION "1.4"`. If the pattern has a group for each
 * number, joins the numbers with dots: libc++ writes 22.1.8 as `220108`.
 */
function parseVersion(text, pattern) {
  const groups = pattern.exec(text)?.slice(1) ?? ["of no known version"];
  return groups.length === 1 ? groups[0] : groups.map(Number).join(".");
}
