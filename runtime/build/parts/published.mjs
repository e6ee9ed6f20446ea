// Compares the files that a compilation reads with the checksums in the packages that the files come from. aws-lc.mjs uses it to show
// that the cryptography is compiled as it was published (runtime/README.md).
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ZIG } from "./versions.mjs";

/**
 * A package with the checksums of its files, as it was published.
 *
 * @typedef {object} PublishedPackage
 * @property {string} folder the folder of the package
 * @property {Map<string, string>} checksums for each file's path in the folder, the SHA-256 of the file in hexadecimal digits
 */

/**
 * Reads the checksums in a crate.
 *
 * @param folder the folder of the crate, as cargo has unpacked it
 * @returns {PublishedPackage}
 */
export function readCrateChecksums(folder) {
  const { files } = JSON.parse(readFileSync(join(folder, ".cargo-checksum.json"), "utf8"));
  return { folder, checksums: new Map(Object.entries(files)) };
}

/**
 * Reads the checksums in the wheel of zig. A line of its file RECORD is `ziglang/LICENSE,sha256=DIGITS_IN_BASE64URL,LENGTH`.
 *
 * @param zig the path of the compiler in its unpacked wheel
 * @returns {PublishedPackage}
 */
export function readZigChecksums(zig) {
  const folder = resolve(zig, "../..");
  const record = readFileSync(join(folder, `${ZIG.name}-${ZIG.version}.dist-info`, "RECORD"), "utf8");
  const lines = Array.from(record.matchAll(/^(.+),sha256=([\w-]+),\d+$/gm));
  return {
    folder,
    checksums: new Map(lines.map(([, path, checksum]) => [path, Buffer.from(checksum, "base64url").toString("hex")])),
  };
}

/**
 * Expects that each file is in one of the packages, and is as it was published.
 *
 * @param paths the paths of files
 * @param {PublishedPackage[]} packages
 * @throws Error that names the first other file
 */
export function expectPublished(paths, packages) {
  const changedPath = paths.find((path) => {
    const actualChecksum = createHash("sha256").update(readFileSync(path)).digest("hex");
    return packages.every(({ folder, checksums }) => checksums.get(relative(folder, path)) !== actualChecksum);
  });
  if (changedPath === undefined) return;
  throw new Error(`${changedPath} is not as it was published: remove .cache/crates and .cache/zig, and build again`);
}

/**
 * Parses the list of files that the compiler has read. With `-MD -MT made` it writes the list as a rule of make:
 *
 *     made: crypto/mem.c include/openssl/mem.h \
 *       folder\ with\ spaces/types.h
 *
 * @returns the absolute paths of the files
 */
export function parseMakeRule(text) {
  const words = text.replaceAll("\\\n", "").match(/(?:\\[ #]|\S)+/g) ?? [];
  if (words.shift() !== "made:") throw new Error(`not a rule of make: ${text.slice(0, 200)}`);
  // A backslash escapes spaces and #, and $$ stands for $.
  return words.map((word) => resolve(word.replaceAll(/\\([ #])/g, "$1").replaceAll("$$", "$")));
}
