// Fetches packages of PyPI by pip, which is used for nothing else.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BuildFailure, reasonOf } from "../failure.mjs";

/**
 * Fetches a package once for each checksum.
 *
 * @param folder for the result, with an ending for the checksum
 * @param origin name and version of the package
 * @param checksum its SHA-256, which pip compares before it runs code of a source package
 * @param options of pip
 * @param unpack takes a folder with the package's file, and returns the folder to keep
 * @returns the folder
 * @throws if Python or pip is missing, or the package has another checksum
 */
export function fetchedByPip(folder, { name, version }, checksum, options, unpack) {
  const kept = `${folder}-${checksum.slice(0, 8)}`;
  if (existsSync(kept)) return kept;
  mkdirSync(dirname(kept), { recursive: true });
  // Beside the result, so that it can be renamed.
  const temporary = mkdtempSync(`${kept}.`);
  try {
    // Only a file of requirements may have checksums.
    const requirements = join(temporary, "requirements.txt");
    writeFileSync(requirements, `${name}==${version} --hash=sha256:${checksum}\n`);
    const files = join(temporary, "files");
    const common = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", files];
    const result = spawnSync("python3", [...common, ...options, "--requirement", requirements], {
      encoding: "utf8",
    });
    const { error, status, stderr } = result;
    if (error?.code === "ENOENT" || stderr?.includes("No module named pip"))
      throw new BuildFailure("there is no python3 with pip, which fetches sources: install Python and pip");
    const [, actual] = /^\s*Got\s+([0-9a-f]{64})$/m.exec(stderr) ?? [];
    if (actual !== undefined) throw new BuildFailure(`${name} ${version} has another checksum: ${actual}`);
    if (status !== 0) throw new BuildFailure(`pip, which fetches sources, failed: ${reasonOf(result)}`);
    const unpacked = unpack(files);
    try {
      renameSync(unpacked, kept);
    } catch (problem) {
      // Another build was faster.
      if (!existsSync(kept)) throw problem;
    }
    return kept;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
