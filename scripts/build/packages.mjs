/**
 * Lists the packages that the bundles contain, for the notices, the bill of materials and the checks of
 * vulnerabilities.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { renderedHelp } from "./help.mjs";
import { hashOfInputs } from "./inputs.mjs";
import { bundleRuntime } from "../../runtime/build/runtime.mjs";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Returns the packages in the npm package and in the executables, as reported by the bundler.
 *
 * @returns for each its folder, its manifest, its entry in package-lock.json and which of the two hold it. One version may be
 *   there twice
 */
export async function bundledPackages() {
  const { inPackage, inExecutables } = await bundledFolders();
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
  return Promise.all(
    Array.from(new Set([...inPackage, ...inExecutables]), async (path) => ({
      folder: join(ROOT, path),
      manifest: JSON.parse(await readFile(join(ROOT, path, "package.json"), "utf8")),
      locked: packages[path],
      isInPackage: inPackage.includes(path),
      isInExecutables: inExecutables.includes(path),
    })),
  );
}

/** Returns the folders of both. They are kept until an input of the build changes, because three bundles take seconds. */
async function bundledFolders() {
  const hash = hashOfInputs(ROOT);
  const file = join(ROOT, ".cache", "bundled-packages.json");
  const kept = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
  if (kept.hash === hash) return kept;
  const inPackage = foldersOf(await bundle());
  const inExecutables = foldersOf([...(await bundle({}, [await renderedHelp()])), ...(await bundleRuntime())]);
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  // Renames, because another process may do the same.
  await writeFile(`${file}.${process.pid}`, JSON.stringify({ hash, inPackage, inExecutables }));
  await rename(`${file}.${process.pid}`, file);
  return { inPackage, inExecutables };
}

/** Returns the folders of the packages whose modules are in these chunks, by their paths below the root, which may be a link. */
function foldersOf(chunks) {
  const paths = chunks.flatMap(({ moduleIds }) => moduleIds);
  return Array.from(
    new Set(paths.flatMap((path) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [])),
  );
}
