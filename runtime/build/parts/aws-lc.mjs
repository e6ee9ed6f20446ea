// Compiles AWS-LC (TLS, X.509 and cryptography) for the executable for Linux, from the sources in a crate.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { changedSources } from "./aws-lc-changes.mjs";
import { STACK_PROTECTOR } from "./compile.mjs";
import { crateSources } from "./crate.mjs";
import { keyOf } from "./key.mjs";
import { VERSIONS } from "./versions.mjs";

const run = promisify(execFile);

/** The crate's lists of assembly by processor. */
const LISTS = { x64: "linux_x86_64", arm64: "linux_aarch64" };

const FLAGS = [
  "-Os",
  "-w",
  "-DNDEBUG",
  "-D_GNU_SOURCE",
  "-DBORINGSSL_IMPLEMENTATION",
  "-DS2N_BN_HIDE_SYMBOLS",
  // The kernel's random numbers suffice, and the other source takes milliseconds at a start.
  "-DDISABLE_CPU_JITTER_ENTROPY",
  // AVX-512: 0.3 MB for megabytes that a launcher never encrypts.
  "-DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX",
  // Assembly for elliptic curves in two variants each: 0.7 MB for 0.2 ms of a handshake. On arm64 see VARIANT.
  "-DMY_ASSEMBLER_IS_TOO_OLD_FOR_ADX_AVX2",
  "-fno-pie",
  STACK_PROTECTOR,
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables",
];
const CXX_FLAGS = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"];

/** Moves the tables for unwinding, which assembly has in any case, to a section that the executable loses. */
const STRIPPED_TABLES = ".cfi_sections .debug_frame\n";

/** Sources that no TLS client needs. */
const UNUSED =
  /decrepit\/|ocsp\/(?!ocsp_extension)|trust_token|spake25519|hrss|blake2|crypto\/rc4|jitterentropy|avx512|aes128gcmsiv|aesni-sha|aes-xts|aes_xts|trampoline|x86_att\/(?:curve|p\d)/;
/** The second variant of assembly for elliptic curves on arm64, faster on some processors. Both run on each. */
const VARIANT = /arm\/(?:curve25519|p\d+)\/(\w+)_alt\.S$/;
/** Sources with names that others in their folder define as well; the others are compiled as one, four times as fast. */
const ALONE =
  /(?:dgram|connect|poly1305_vec|rsa_pss|rsassa_pss_asn1|rsa_crypt|v3_utl|x509_vfy|x509_vpm|x_x509|handshake_server|tls13_client|tls13_server|ssl_privkey|ssl_file|bio_ssl)\.cc?$/;

/**
 * @param root the repository
 * @param processor x64 or arm64
 * @param target zig's name
 * @param zig the path of the compiler
 * @param flags further options, such as those of a sanitizer
 * @returns the archive, and the folder of headers
 */
export async function awsLc(root, processor, target, zig, flags = []) {
  const crate = crateSources(root, VERSIONS.awsLc);
  const library = join(crate, "aws-lc");
  const include = join(library, "include");
  const parts = ["aws-lc-changes.mjs", "aws-lc-tables.mjs", "changes.mjs"].map((name) =>
    join(import.meta.dirname, name),
  );
  const own = [import.meta.filename, ...parts];
  const key = keyOf(VERSIONS.awsLc.checksum, target, FLAGS, flags, ...own.map((path) => readFileSync(path, "utf8")));
  const folder = join(root, ".cache", "runtime");
  const archive = join(folder, `aws-lc-${processor}-${key}.a`);
  if (existsSync(archive)) return { archive, include };
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(folder, "aws-lc-"));
  try {
    const bignum = join(library, "third_party/s2n-bignum");
    const includes = [include, join(bignum, "include"), join(bignum, "s2n-bignum-imported/include")];
    // Errors name their source; not where it was on this machine.
    const shortened = `-fmacro-prefix-map=${library}/=`;
    const listed = ["universal", LISTS[processor]].flatMap((name) => listedIn(crate, name));
    const sources = [...listed, ...tlsSources(library)].filter((path) => !UNUSED.test(path) && !VARIANT.test(path));
    const only = listed.flatMap((path) => VARIANT.exec(path)?.slice(1) ?? []).map((name) => `-D${name}_alt=${name}`);
    const defined = [...flags, ...only, shortened];
    const changed = changedSources(library, temporary);
    const options = ["-target", target, ...FLAGS, ...defined, ...changed, ...includes.map((path) => `-I${path}`)];
    const units = asUnits(sources).map(([name, paths], index) => {
      const lines = paths.map((path) => `#include "${join(library, path)}"\n`);
      const source = join(temporary, `${index}-${name}`);
      writeFileSync(source, `${name.endsWith(".S") ? STRIPPED_TABLES : ""}${lines.join("")}`);
      return { source, output: `${source}.o` };
    });
    const remaining = [...units];
    const compile = async () => {
      for (let unit = remaining.shift(); unit !== undefined; unit = remaining.shift()) {
        const { source, output } = unit;
        const dialect = source.endsWith(".cc") ? ["c++", ...CXX_FLAGS] : ["cc"];
        await run(zig, [...dialect, ...options, "-c", "-o", output, source]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, compile));
    const result = join(temporary, "result.a");
    await run(zig, ["ar", "rcsD", result, ...units.map(({ output }) => output)]);
    renameSync(result, archive);
    return { archive, include };
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

function listedIn(crate, name) {
  const text = readFileSync(join(crate, "builder/cc_builder", `${name}.rs`), "utf8");
  return Array.from(text.matchAll(/"([^"]+\.[cS])"/g), ([, path]) => path);
}

/** The crate's own lists have no TLS, which it builds by CMake. */
function tlsSources(library) {
  const text = readFileSync(join(library, "ssl/CMakeLists.txt"), "utf8");
  const [list] = text.split(")", 1);
  return Array.from(list.matchAll(/\w+\.cc/g), ([name]) => `ssl/${name}`);
}

/** Returns units of compilation, the longest ones first: name and sources. */
function asUnits(sources) {
  const units = new Map();
  for (const path of sources) {
    const name = path.replace(/^third_party\/.*\//, "").replaceAll("/", "_");
    const isAlone = !/^(?:crypto|ssl)\//.test(path) || path.endsWith(".S") || path.includes("fips") || ALONE.test(path);
    const unit = isAlone
      ? name
      : `${path.split("/").slice(0, -1).join("_")}${path.endsWith("c") ? path.slice(path.lastIndexOf(".")) : ""}`;
    units.set(unit, [...(units.get(unit) ?? []), path]);
  }
  const rank = ([name]) => (name.includes("bcm.c") ? 0 : basename(name) === "ssl.cc" ? 1 : name.endsWith(".S") ? 3 : 2);
  return [...units].toSorted((left, right) => rank(left) - rank(right));
}
