// Fetches packages from PyPI with pip, which the build uses for nothing else: the compiler zig, and the sources of llhttp.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BuildFailure, describeCommandFailure } from "../failure.mjs";

/**
 * Fetches a package, unless an earlier build has fetched the package with this checksum.
 *
 * @param options.cachePrefix the path of the result, without the digits of the checksum that this function appends
 * @param options.name the name of the package
 * @param options.version the version of the package
 * @param options.checksum the SHA-256 of the package. pip compares it before it runs code of a source package.
 * @param options.pipOptions options of `pip download`
 * @param options.unpack unpacks the package. It takes the folder with the downloaded file, and returns the folder that becomes the result.
 * @returns the path of the result, a folder
 * @throws BuildFailure if Python or pip is missing, or if the package has another checksum
 */
export function fetchWithPip({ cachePrefix, name, version, checksum, pipOptions, unpack }) {
  const cachedFolder = `${cachePrefix}-${checksum.slice(0, 8)}`;
  if (existsSync(cachedFolder)) return cachedFolder;
  mkdirSync(dirname(cachedFolder), { recursive: true });
  // The temporary folder is beside the result, so that the result can be renamed.
  const temporary = mkdtempSync(`${cachedFolder}.`);
  try {
    // pip accepts a checksum only in a file of requirements.
    const requirements = join(temporary, "requirements.txt");
    writeFileSync(requirements, `${name}==${version} --hash=sha256:${checksum}\n`);
    const downloads = join(temporary, "files");
    const command = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
    const args = [...command, "--dest", downloads, ...pipOptions, "--requirement", requirements];
    expectDownloaded(name, version, spawnSync("python3", args, { encoding: "utf8" }));
    const unpacked = unpack(downloads);
    try {
      renameSync(unpacked, cachedFolder);
    } catch (problem) {
      // Another build may have made the folder in the meantime.
      if (!existsSync(cachedFolder)) throw problem;
    }
    return cachedFolder;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** @throws BuildFailure if `pip download` has failed. `result` is what spawnSync returned. */
function expectDownloaded(name, version, result) {
  const { error, status, stderr } = result;
  if (error?.code === "ENOENT" || stderr?.includes("No module named pip"))
    throw new BuildFailure("there is no python3 with pip, which fetches sources: install Python and pip");
  // pip prints "Got" and the checksum of the package, if that is not the expected one.
  const [, actualChecksum] = /^\s*Got\s+([0-9a-f]{64})$/m.exec(stderr) ?? [];
  if (actualChecksum !== undefined)
    throw new BuildFailure(`${name} ${version} has another checksum: ${actualChecksum}`);
  if (status !== 0) throw new BuildFailure(`pip, which fetches sources, failed: ${describeCommandFailure(result)}`);
}
