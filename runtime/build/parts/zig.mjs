// Fetches zig, the one cross compiler of the executables for Linux, from PyPI.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { compareLibrary } from "./library.mjs";
import { fetchedByPip } from "./pip.mjs";
import { ZIG } from "./versions.mjs";

const PLATFORMS = { x64: "manylinux_2_12_x86_64", arm64: "manylinux_2_17_aarch64" };

/**
 * @param root the repository
 * @returns the path of the compiler
 */
export function zig(root) {
  const checksum = ZIG.checksums[process.arch];
  const options = ["--only-binary=:all:", "--platform", PLATFORMS[process.arch]];
  const folder = fetchedByPip(join(root, ".cache", "zig", ZIG.version), ZIG, checksum, options, (files) => {
    const [wheel] = readdirSync(files);
    const unpacked = join(files, "unpacked");
    run("python3", ["-m", "zipfile", "-e", join(files, wheel), unpacked]);
    run("chmod", ["u+x", join(unpacked, "ziglang", "zig")]);
    for (const library of ZIG.holds) compareLibrary(unpacked, ZIG.version, library);
    return unpacked;
  });
  // Not in the user's home, which some tests replace.
  process.env["ZIG_GLOBAL_CACHE_DIR"] ??= join(root, ".cache", "zig", "objects");
  return { compiler: join(folder, "ziglang", "zig") };
}
