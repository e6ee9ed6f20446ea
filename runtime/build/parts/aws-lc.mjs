// Compiles AWS-LC (TLS, X.509 and cryptography) for the executable for Linux, from the sources in a crate. It is configured, by options
// that its authors provide, and never edited: each file that the compiler reads is compared with the checksum in its package.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { STACK_PROTECTOR } from "./compile.mjs";
import { crateSources } from "./crate.mjs";
import { keyOf } from "./key.mjs";
import { expectPublished, filesOfRule, publishedCompiler, publishedCrate } from "./published.mjs";
import { VERSIONS } from "./versions.mjs";

const run = promisify(execFile);

/** The crate's lists of assembly by processor. */
const LISTS = { x64: "linux_x86_64", arm64: "linux_aarch64" };

/**
 * The macros are those of AWS-LC's own build (CMakeLists.txt, and builder/cc_builder.rs of the crate). HAVE_LINUX_RANDOM_H is not among
 * them, so that random numbers come from getentropy(3): the code that AWS-LC has for Linux aborts if getrandom(2) is refused
 * (runtime/native/random.c).
 */
const FLAGS = [
  "-Os",
  "-w",
  "-DNDEBUG",
  "-DBORINGSSL_IMPLEMENTATION",
  "-DS2N_BN_HIDE_SYMBOLS",
  "-DAWS_LC_STDALIGN_AVAILABLE",
  "-DAWS_LC_BUILTIN_SWAP_SUPPORTED",
  // Smaller code and tables for elliptic curves, and no AVX-512: 0.2 ms more for a handshake.
  "-DOPENSSL_SMALL",
  // Two variants of assembly for Curve25519: 0.3 MB for 0.2 ms of a handshake.
  "-DMY_ASSEMBLER_IS_TOO_OLD_FOR_ADX_AVX2",
  // The kernel's random numbers suffice, and the other source takes milliseconds at a start.
  "-DDISABLE_CPU_JITTER_ENTROPY",
  "-fno-pie",
  STACK_PROTECTOR,
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables",
];
/** The compiler and further options by the end of a source's name. */
const DIALECTS = {
  S: ["cc"],
  c: ["cc", "-std=c11", "-D_XOPEN_SOURCE=700"],
  cc: ["c++", "-std=c++17", "-fno-exceptions", "-fno-rtti"],
};

/** The source that DISABLE_CPU_JITTER_ENTROPY leaves out. */
const UNUSED = /^third_party\/jitterentropy\//;

/**
 * @param root the repository
 * @param processor x64 or arm64
 * @param target zig's name
 * @param zig the path of the compiler
 * @returns the archive, the folder of headers, and a list in JSON of all files that the compiler has read, which are relative to the list
 * @throws if one of these files is not as it was published
 */
export async function awsLc(root, processor, target, zig) {
  const crate = crateSources(root, VERSIONS.awsLc);
  const library = join(crate, "aws-lc");
  const include = join(library, "include");
  const recipe = [import.meta.filename, join(import.meta.dirname, "published.mjs")];
  const texts = recipe.map((path) => readFileSync(path, "utf8"));
  const key = keyOf(VERSIONS.awsLc.checksum, target, STACK_PROTECTOR, ...texts);
  const folder = join(root, ".cache", "runtime");
  const archive = join(folder, `aws-lc-${processor}-${key}.a`);
  const list = `${archive}.json`;
  if (existsSync(archive)) return { archive, include, list };
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(join(folder, "aws-lc-"));
  try {
    const bignum = join(library, "third_party/s2n-bignum");
    const includes = [include, join(bignum, "include"), join(bignum, "s2n-bignum-imported/include")];
    // Errors name their source; not where it was on this machine.
    const shortened = `-fmacro-prefix-map=${library}/=`;
    const options = ["-target", target, ...FLAGS, shortened, ...includes.map((path) => `-I${path}`)];
    const packages = [publishedCrate(crate), publishedCompiler(zig)];
    const objects = sourcesFor(crate, processor, packages).map((path, index) => ({
      source: join(library, path),
      dialect: DIALECTS[path.slice(path.lastIndexOf(".") + 1)],
      // Sources in two folders have the same name.
      object: join(temporary, `${index}-${path.slice(path.lastIndexOf("/") + 1)}.o`),
    }));
    const remaining = [...objects];
    const files = new Set();
    const compileNext = async () => {
      const { source, dialect, object } = remaining.shift();
      const rule = `${object}.d`;
      await run(zig, [...dialect, ...options, "-MD", "-MT", "made", "-MF", rule, "-c", "-o", object, source]);
      const added = filesOfRule(readFileSync(rule, "utf8")).filter((file) => !files.has(file));
      expectPublished(added, packages);
      for (const file of added) files.add(file);
    };
    const compileAll = async () => {
      try {
        while (remaining.length > 0) await compileNext();
      } catch (problem) {
        remaining.length = 0;
        throw problem;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, compileAll));
    for (const { reason } of ends) if (reason !== undefined) throw reason;
    const result = join(temporary, "result.a");
    await run(zig, ["ar", "rcsD", result, ...objects.map(({ object }) => object)]);
    const names = [...files].map((file) => relative(folder, file)).toSorted((one, other) => (one < other ? -1 : 1));
    writeFileSync(list, `${JSON.stringify(names, null, 1)}\n`);
    renameSync(result, archive);
    return { archive, include, list };
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Returns the paths of all sources. The linker leaves out those that nothing needs. */
function sourcesFor(crate, processor, packages) {
  const lists = ["universal", LISTS[processor]].map((name) => join(crate, "builder/cc_builder", `${name}.rs`));
  // The crate builds TLS by CMake, and has no list of its own for that.
  const tlsList = join(crate, "aws-lc/ssl/CMakeLists.txt");
  expectPublished([...lists, tlsList], packages);
  const listed = lists.flatMap((path) =>
    Array.from(readFileSync(path, "utf8").matchAll(/"([^"]+\.[cS])"/g), ([, name]) => name),
  );
  const [tls] = readFileSync(tlsList, "utf8").split(")", 1);
  const tlsSources = Array.from(tls.matchAll(/\w+\.cc?$/gm), ([name]) => `ssl/${name}`);
  return [...listed, ...tlsSources].filter((path) => !UNUSED.test(path));
}
