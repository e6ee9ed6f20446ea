// Fetches the sources of a crate by cargo, which is used for nothing else.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BuildFailure, reasonOf } from "../failure.mjs";
import { compareLibrary } from "./library.mjs";

/**
 * Fetches a crate, once for each checksum.
 *
 * @param root the repository
 * @param crate of versions.mjs
 * @returns the folder of the sources, in .cache/crates
 * @throws if cargo is missing, or the crate has another checksum, or its library another version or licence
 */
export function crateSources(root, { name, version, checksum, holds }) {
  const folder = join(root, ".cache", "crates", `${name}-${version}-${checksum.slice(0, 8)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Beside the result, so that it can be renamed.
  const temporary = mkdtempSync(`${folder}.`);
  try {
    const manifest = `[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "none.rs"\n`;
    const dependency = `[dependencies]\n${name} = { version = "=${version}", default-features = false }\n`;
    // The workspace of its own keeps cargo from searching the folders above.
    writeFileSync(join(temporary, "Cargo.toml"), `${manifest}${dependency}[workspace]\n`);
    writeFileSync(join(temporary, "none.rs"), "");
    const result = spawnSync("cargo", ["vendor", "--quiet", "vendor"], { cwd: temporary, encoding: "utf8" });
    if (result.error?.code === "ENOENT")
      throw new BuildFailure("there is no cargo, which fetches sources: install Rust's package manager");
    if (result.status !== 0) throw new BuildFailure(`cargo, which fetches sources, failed: ${reasonOf(result)}`);
    const crate = join(temporary, "vendor", name);
    const { package: actual } = JSON.parse(readFileSync(join(crate, ".cargo-checksum.json"), "utf8"));
    if (actual !== checksum) throw new BuildFailure(`${name} ${version} has another checksum: ${actual}`);
    compareLibrary(crate, version, holds);
    try {
      renameSync(crate, folder);
    } catch (problem) {
      // Another build was faster.
      if (!existsSync(folder)) throw problem;
    }
    return folder;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
