// Hashes the inputs of a build: demo and tests build only if the hash differs from the last build's.
import { createHash } from "node:crypto";
import { accessSync, constants, readFileSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { compilers } from "./addon.mjs";

/** Paths below the root; a folder includes every file below it. */
export const SOURCES = [
  "src",
  "native",
  "runtime",
  "scripts/build",
  "scripts/build.mjs",
  "scripts/no-axios.mjs",
  "package.json",
  "node_modules/.package-lock.json",
];

/** The inputs of the addons and the monitors. */
export const SOURCES_OF_ADDONS = ["native", "scripts/build/addon.mjs", "node_modules/.package-lock.json"];

/**
 * Hashes sources, the list of installed packages, and the names of available compilers, because a new compiler adds an addon.
 *
 * @returns hexadecimal digits
 */
export function hashOfInputs(root, sources = SOURCES) {
  const hash = createHash("sha256");
  for (const name of sources.flatMap((source) => filesBelow(root, source))) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update("\0");
  }
  for (const compiler of compilers()) hash.update(`${compiler}\0${isOnPath(compiler)}\0`);
  return hash.digest("hex");
}

/** Sorted, so that the order of a folder's entries does not matter. */
function filesBelow(root, name) {
  const stats = statSync(join(root, name), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [name];
  const entries = readdirSync(join(root, name)).toSorted();
  return entries.flatMap((entry) => filesBelow(root, `${name}/${entry}`));
}

function isOnPath(command) {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
