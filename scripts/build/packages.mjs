import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { bundleRuntime } from "./runtime.mjs";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Returns the packages in the bundle and in the runtime of the executables for Linux, as reported by the bundler.
 *
 * @returns for each its folder, its manifest and its entry in package-lock.json. One version may be there twice
 */
export async function bundledPackages() {
  const folders = new Set();
  const chunks = [...(await bundle()), ...(await bundleRuntime())];
  for (const path of chunks.flatMap(({ moduleIds }) => moduleIds)) {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
  return Promise.all(
    Array.from(folders, async (folder) => ({
      folder,
      manifest: JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
      // By its path below the root, which may be a link.
      locked: packages[folder.slice(folder.indexOf("node_modules/"))],
    })),
  );
}
