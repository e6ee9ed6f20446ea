// Mozilla's certificate authorities for the executable for Linux, from a crate.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.mjs";
import { crateSources } from "./crate.mjs";
import { keyOf } from "./key.mjs";
import { expectPublished, publishedCrate } from "./published.mjs";
import { VERSIONS } from "./versions.mjs";

/**
 * @param root the repository
 * @param zig the path of the compiler
 * @param target its name for the target
 * @returns an object file, which defines `mozilla_roots` and `mozilla_roots_end`: certificates in DER, one after another
 */
export function mozillaRoots(root, zig, target) {
  const key = keyOf(VERSIONS.roots.checksum, target, readFileSync(import.meta.filename, "utf8"));
  const output = join(root, ".cache", "runtime", `roots-${key}.o`);
  if (existsSync(output)) return output;
  const bytes = rootsOf(root).map((certificate) => `.byte ${Array.from(certificate).join(",")}\n`);
  mkdirSync(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}`;
  const section = `.section .rodata\n.globl mozilla_roots, mozilla_roots_end\nmozilla_roots:\n`;
  const end = `mozilla_roots_end: .byte 0\n.section .note.GNU-stack,"",%progbits\n`;
  writeFileSync(`${temporary}.S`, `${section}${bytes.join("")}${end}`);
  run(zig, ["cc", "-target", target, "-c", `${temporary}.S`, "-o", temporary]);
  rmSync(`${temporary}.S`);
  renameSync(temporary, output);
  return output;
}

/**
 * @param root the repository
 * @returns Mozilla's certificates, in DER, as they were published
 */
export function rootsOf(root) {
  const crate = crateSources(root, VERSIONS.roots);
  const list = join(crate, "src/lib.rs");
  expectPublished([list], [publishedCrate(crate)]);
  const source = readFileSync(list, "latin1");
  const certificates = Array.from(source.matchAll(/from_slice\(b"((?:\\x[0-9A-F]{2}|\\\n)+)"\)/g), ([, text]) =>
    Buffer.from(text.replaceAll(/\\x|\\\n/g, ""), "hex"),
  );
  const expected = source.split("from_slice(").length - 1;
  if (certificates.length !== expected)
    throw new Error(`${VERSIONS.roots.name}: ${certificates.length} of ${expected} roots`);
  return certificates;
}
