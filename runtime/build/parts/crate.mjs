// Fetches the sources of crates with cargo, which the build uses for nothing else.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BuildFailure, describeCommandFailure } from "../failure.mjs";
import { expectLibrary } from "./library.mjs";

/**
 * Fetches a crate, unless an earlier build has fetched the crate with this checksum.
 *
 * @param root the repository
 * @param crate one of PACKAGES in versions.mjs
 * @returns the folder of the sources, in .cache/crates
 * @throws BuildFailure if cargo is missing, if the crate has another checksum, or if its library has another version or licence
 */
export function fetchCrate(root, { name, version, checksum, library }) {
  const cachedFolder = join(root, ".cache", "crates", `${name}-${version}-${checksum.slice(0, 8)}`);
  if (existsSync(cachedFolder)) return cachedFolder;
  mkdirSync(dirname(cachedFolder), { recursive: true });
  // The temporary folder is beside the result, so that the result can be renamed.
  const temporary = mkdtempSync(`${cachedFolder}.`);
  try {
    const sources = vendorCrate(temporary, name, version);
    const { package: actualChecksum } = JSON.parse(readFileSync(join(sources, ".cargo-checksum.json"), "utf8"));
    if (actualChecksum !== checksum)
      throw new BuildFailure(`${name} ${version} has another checksum: ${actualChecksum}`);
    expectLibrary(sources, version, library);
    try {
      renameSync(sources, cachedFolder);
    } catch (problem) {
      // Another build may have made the folder in the meantime.
      if (!existsSync(cachedFolder)) throw problem;
    }
    return cachedFolder;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Makes a project of cargo that depends on the crate only, and lets cargo fetch the crate. @returns the folder of the crate's sources */
function vendorCrate(projectFolder, name, version) {
  const manifest = `[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "none.rs"\n`;
  const dependency = `[dependencies]\n${name} = { version = "=${version}", default-features = false }\n`;
  // A workspace of its own keeps cargo from searching the folders above the project.
  writeFileSync(join(projectFolder, "Cargo.toml"), `${manifest}${dependency}[workspace]\n`);
  writeFileSync(join(projectFolder, "none.rs"), "");
  const result = spawnSync("cargo", ["vendor", "--quiet", "vendor"], { cwd: projectFolder, encoding: "utf8" });
  if (result.error?.code === "ENOENT")
    throw new BuildFailure("there is no cargo, which fetches sources: install Rust's package manager");
  if (result.status !== 0)
    throw new BuildFailure(`cargo, which fetches sources, failed: ${describeCommandFailure(result)}`);
  return join(projectFolder, "vendor", name);
}
