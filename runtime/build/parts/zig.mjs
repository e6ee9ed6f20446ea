// Fetches zig, the cross compiler of the executables for Linux, from PyPI.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { expectLibrary } from "./library.mjs";
import { fetchWithPip } from "./pip.mjs";
import { ZIG } from "./versions.mjs";

/** pip's names of the platforms on which zig runs, by Node's name of the processor. */
const PIP_PLATFORMS = { x64: "manylinux_2_12_x86_64", arm64: "manylinux_2_17_aarch64" };

/**
 * Fetches zig for this machine, unless .cache/zig has it already. If ZIG_GLOBAL_CACHE_DIR is not set, sets it in
 * the environment of this process.
 *
 * @param root the repository
 * @returns {{ compiler: string }} the path of zig
 */
export function fetchZig(root) {
  const unpackWheel = (downloads) => {
    const [wheel] = readdirSync(downloads);
    const unpacked = join(downloads, "unpacked");
    run("python3", ["-m", "zipfile", "-e", join(downloads, wheel), unpacked]);
    run("chmod", ["u+x", join(unpacked, "ziglang", "zig")]);
    for (const library of ZIG.libraries) expectLibrary(unpacked, ZIG.version, library);
    return unpacked;
  };
  const folder = fetchWithPip({
    cachePrefix: join(root, ".cache", "zig", ZIG.version),
    name: ZIG.name,
    version: ZIG.version,
    checksum: ZIG.checksums[process.arch],
    pipOptions: ["--only-binary=:all:", "--platform", PIP_PLATFORMS[process.arch]],
    unpack: unpackWheel,
  });
  // By default zig's cache is in the user's home folder, which some tests replace.
  process.env["ZIG_GLOBAL_CACHE_DIR"] ??= join(root, ".cache", "zig", "objects");
  return { compiler: join(folder, "ziglang", "zig") };
}
