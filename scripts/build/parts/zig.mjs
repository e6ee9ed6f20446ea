// Fetches zig, the one cross compiler of the executables for Linux, from PyPI.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../quickjs.mjs";
import { ZIG } from "./versions.mjs";

const PLATFORMS = { x64: "manylinux_2_12_x86_64", arm64: "manylinux_2_17_aarch64" };

/**
 * @param root the repository
 * @returns the path of the compiler
 */
export function zig(root) {
  const folder = join(root, ".cache", "zig", ZIG.version);
  const compiler = join(folder, "ziglang", "zig");
  if (existsSync(compiler)) return { compiler };
  mkdirSync(join(folder, ".."), { recursive: true });
  const temporary = mkdtempSync(join(folder, "..", "new-"));
  try {
    const options = ["--no-deps", "--only-binary=:all:", "--platform", PLATFORMS[process.arch], "--dest", temporary];
    run("python3", ["-m", "pip", "download", "--quiet", ...options, `ziglang==${ZIG.version}`]);
    const [wheel] = readdirSync(temporary);
    const checksum = createHash("sha256")
      .update(readFileSync(join(temporary, wheel)))
      .digest("hex");
    if (checksum !== ZIG.checksums[process.arch]) throw new Error(`${wheel} has another checksum: ${checksum}`);
    run("python3", ["-m", "zipfile", "-e", join(temporary, wheel), join(temporary, "files")]);
    run("chmod", ["-R", "u+x", join(temporary, "files", "ziglang", "zig")]);
    // Renames, because another build may do the same.
    renameSync(join(temporary, "files"), folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return { compiler };
}
