// Mozilla's certificate authorities for the executable for Linux, from a crate.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.mjs";
import { crateSources } from "./crate.mjs";
import { keyOf } from "./key.mjs";
import { VERSIONS } from "./versions.mjs";

/**
 * @param root the repository
 * @param zig the path of the compiler
 * @param target its name for the target
 * @returns an object file, which defines `mozilla_roots` and `mozilla_roots_end`: certificates in DER, one after another, without their
 *   signatures
 */
export function mozillaRoots(root, zig, target) {
  const key = keyOf(VERSIONS.roots.checksum, target, readFileSync(import.meta.filename, "utf8"));
  const output = join(root, ".cache", "runtime", `roots-${key}.o`);
  if (existsSync(output)) return output;
  const bytes = rootsOf(root)
    .map(withoutSignature)
    .map((certificate) => `.byte ${Array.from(certificate).join(",")}\n`);
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

/** Returns Mozilla's certificates, in DER, as they are in the crate. */
export function rootsOf(root) {
  const source = readFileSync(join(crateSources(root, VERSIONS.roots), "src/lib.rs"), "latin1");
  const certificates = Array.from(source.matchAll(/from_slice\(b"((?:\\x[0-9A-F]{2}|\\\n)+)"\)/g), ([, text]) =>
    Buffer.from(text.replaceAll(/\\x|\\\n/g, ""), "hex"),
  );
  const expected = source.split("from_slice(").length - 1;
  if (certificates.length !== expected)
    throw new Error(`${VERSIONS.roots.name}: ${certificates.length} of ${expected} roots`);
  return certificates;
}

/**
 * Returns a certificate, in DER, with an empty signature. An authority is trusted by its name and its key (RFC 5280, 6.1.1); its signature of
 * itself is not verified, and the bytes of all of them, 39 kB, cannot be compressed.
 */
export function withoutSignature(certificate) {
  const [start] = contentsOf(certificate, 0);
  const algorithm = contentsOf(certificate, start)[1];
  const signature = contentsOf(certificate, algorithm)[1];
  const isWhole = certificate[signature] === 3 && contentsOf(certificate, signature)[1] === certificate.length;
  if (!isWhole) throw new Error("a root has another form");
  const contents = Buffer.concat([certificate.subarray(start, signature), Buffer.from([3, 1, 0])]);
  // SEQUENCE with a length of two bytes, which certificates have.
  if (start !== 4 || contents.length < 256) throw new Error("a root has another size");
  return Buffer.concat([Buffer.from([0x30, 0x82, contents.length >> 8, contents.length & 0xff]), contents]);
}

/** Returns where the contents of a value in DER begin and end. */
function contentsOf(bytes, at) {
  const first = bytes[at + 1];
  const count = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + count;
  return [start, start + (count === 0 ? first : bytes.readUIntBE(at + 2, count))];
}
