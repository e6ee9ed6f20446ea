// Compares the files that a compilation reads with the checksums that their packages list. Cryptography is compiled as it was
// published (runtime/README.md).
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ZIG } from "./versions.mjs";

/**
 * @param crate the folder of a crate, as cargo has unpacked it
 * @returns the folder, and the SHA-256 of each file in it by path, in hex
 */
export function publishedCrate(crate) {
  const { files } = JSON.parse(readFileSync(join(crate, ".cargo-checksum.json"), "utf8"));
  return { folder: crate, checksums: new Map(Object.entries(files)) };
}

/**
 * @param compiler the path of zig in its unpacked wheel
 * @returns the folder, and the SHA-256 of each file in it by path, in hex
 */
export function publishedCompiler(compiler) {
  const folder = resolve(compiler, "../..");
  const record = readFileSync(join(folder, `${ZIG.name}-${ZIG.version}.dist-info`, "RECORD"), "utf8");
  const lines = Array.from(record.matchAll(/^(.+),sha256=([\w-]+),\d+$/gm));
  return {
    folder,
    checksums: new Map(lines.map(([, path, sum]) => [path, Buffer.from(sum, "base64url").toString("hex")])),
  };
}

/**
 * @param paths of files
 * @param packages what `publishedCrate` and `publishedCompiler` return
 * @throws if none of the packages was published with one of these files as it is now
 */
export function expectPublished(paths, packages) {
  const changed = paths.find((path) => {
    const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
    return packages.every(({ folder, checksums }) => checksums.get(relative(folder, path)) !== sum);
  });
  if (changed === undefined) return;
  throw new Error(`${changed} is not as it was published: remove .cache/crates and .cache/zig, and build again`);
}

/**
 * @param text what the compiler writes for `-MD -MT made`: a rule of make
 * @returns the absolute paths of the files that it has read
 */
export function filesOfRule(text) {
  const words = text.replaceAll("\\\n", "").match(/(?:\\[ #]|\S)+/g) ?? [];
  if (words.shift() !== "made:") throw new Error(`not a rule of make: ${text.slice(0, 200)}`);
  return words.map((word) => resolve(word.replaceAll(/\\([ #])/g, "$1").replaceAll("$$", "$")));
}
