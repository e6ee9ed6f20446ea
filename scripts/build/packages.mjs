import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { renderedHelp } from "./help.mjs";
import { bundleRuntime } from "../../runtime/build/runtime.mjs";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Returns the packages in the npm package and in the executables, as reported by the bundler.
 *
 * @returns for each its folder, its manifest, its entry in package-lock.json and which of the two hold it. One version may be
 *   there twice
 */
export async function bundledPackages() {
  const inPackage = foldersOf(await bundle());
  const inExecutables = foldersOf([...(await bundle({}, [await renderedHelp()])), ...(await bundleRuntime())]);
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
  return Promise.all(
    Array.from(new Set([...inPackage, ...inExecutables]), async (folder) => ({
      folder,
      manifest: JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
      // By its path below the root, which may be a link.
      locked: packages[folder.slice(folder.indexOf("node_modules/"))],
      isInPackage: inPackage.has(folder),
      isInExecutables: inExecutables.has(folder),
    })),
  );
}

/** Returns the folders of the packages whose modules are in these chunks. */
function foldersOf(chunks) {
  const paths = chunks.flatMap(({ moduleIds }) => moduleIds);
  return new Set(paths.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []));
}
