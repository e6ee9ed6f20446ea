// Makes an object file of Mozilla's certificate authorities, which the executables for Linux trust. The certificates come from a crate.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.mjs";
import { fetchCrate } from "./crate.mjs";
import { cacheKeyOf } from "./key.mjs";
import { expectPublished, readCrateChecksums } from "./published.mjs";
import { PACKAGES } from "./versions.mjs";

/**
 * Makes the object file, unless an earlier build has made it.
 *
 * @param root the repository
 * @param zig the path of the compiler
 * @param target zig's name of the target
 * @returns the path of an object file, which defines `mozilla_roots` and `mozilla_roots_end`: certificates in DER, one after another
 */
export function compileMozillaRoots(root, zig, target) {
  const key = cacheKeyOf(PACKAGES.roots.checksum, target, readFileSync(import.meta.filename, "utf8"));
  const output = join(root, ".cache", "runtime", `roots-${key}.o`);
  if (existsSync(output)) return output;
  const certificates = readMozillaRoots(root).map((certificate) => `.byte ${Array.from(certificate).join(",")}\n`);
  mkdirSync(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}`;
  const begin = `.section .rodata\n.globl mozilla_roots, mozilla_roots_end\nmozilla_roots:\n`;
  const end = `mozilla_roots_end: .byte 0\n.section .note.GNU-stack,"",%progbits\n`;
  writeFileSync(`${temporary}.S`, `${begin}${certificates.join("")}${end}`);
  run(zig, ["cc", "-target", target, "-c", `${temporary}.S`, "-o", temporary]);
  rmSync(`${temporary}.S`);
  renameSync(temporary, output);
  return output;
}

/**
 * Reads Mozilla's certificates from the source of the crate, which has each as a byte string of Rust:
 *
 *     CertificateDer::from_slice(b"\x30\x82\x05…")
 *
 * @param root the repository
 * @returns the certificates in DER
 * @throws if the source is not as it was published, or if it has certificates in another form
 */
export function readMozillaRoots(root) {
  const crate = fetchCrate(root, PACKAGES.roots);
  const path = join(crate, "src/lib.rs");
  expectPublished([path], [readCrateChecksums(crate)]);
  const source = readFileSync(path, "latin1");
  const byteStrings = source.matchAll(/from_slice\(b"((?:\\x[0-9A-F]{2}|\\\n)+)"\)/g);
  const certificates = Array.from(byteStrings, ([, text]) => Buffer.from(text.replaceAll(/\\x|\\\n/g, ""), "hex"));
  const expectedCount = source.split("from_slice(").length - 1;
  if (certificates.length !== expectedCount)
    throw new Error(`${PACKAGES.roots.name}: ${certificates.length} of ${expectedCount} roots`);
  return certificates;
}
