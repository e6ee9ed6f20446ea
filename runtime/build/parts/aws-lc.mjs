// Compiles AWS-LC (TLS, X.509 and cryptography) for the executables for Linux, from the sources in a crate. Options that its authors
// provide configure AWS-LC; the build never edits it, and compares each file that the compiler reads with the checksum in its package.
// The result is an archive in .cache/runtime, such as `aws-lc-x64-0f922d9732e46826.a`.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { STACK_PROTECTOR } from "./compile.mjs";
import { fetchCrate } from "./crate.mjs";
import { cacheKeyOf } from "./key.mjs";
import { expectPublished, parseMakeRule, readCrateChecksums, readZigChecksums } from "./published.mjs";
import { PACKAGES } from "./versions.mjs";

const run = promisify(execFile);

/** The crate's lists of sources for one processor, in assembly, by Node's name of the processor. */
const PROCESSOR_LISTS = { x64: "linux_x86_64", arm64: "linux_aarch64" };

/**
 * The compiler options. The macros are those of AWS-LC's own build (CMakeLists.txt, and builder/cc_builder.rs of the crate).
 * HAVE_LINUX_RANDOM_H is not among them, so that random numbers come from getentropy(3): AWS-LC's code for Linux aborts if the system
 * refuses getrandom(2) (runtime/native/random.c).
 */
const FLAGS = [
  "-Os",
  "-w",
  "-DNDEBUG",
  "-DBORINGSSL_IMPLEMENTATION",
  "-DS2N_BN_HIDE_SYMBOLS",
  "-DAWS_LC_STDALIGN_AVAILABLE",
  "-DAWS_LC_BUILTIN_SWAP_SUPPORTED",
  // This option selects smaller code and tables for elliptic curves, without AVX-512. A handshake takes 0.2 ms longer.
  "-DOPENSSL_SMALL",
  // This option leaves out two variants of assembly for Curve25519, which take 0.3 MB and save 0.2 ms of a handshake.
  "-DMY_ASSEMBLER_IS_TOO_OLD_FOR_ADX_AVX2",
  // The kernel's random numbers suffice. The source of random numbers that this option leaves out takes milliseconds at each start.
  "-DDISABLE_CPU_JITTER_ENTROPY",
  "-fno-pie",
  STACK_PROTECTOR,
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables",
];
/** The compiler command and further options, by the extension of a source. */
const COMMANDS = {
  S: ["cc"],
  c: ["cc", "-std=c11", "-D_XOPEN_SOURCE=700"],
  cc: ["c++", "-std=c++17", "-fno-exceptions", "-fno-rtti"],
};

/** The sources that are unused because of DISABLE_CPU_JITTER_ENTROPY. */
const UNUSED_SOURCES = /^third_party\/jitterentropy\//;

/**
 * Compiles AWS-LC, unless an earlier build has done so. This takes minutes.
 *
 * @param root the repository
 * @param processor Node's name of the processor: x64 or arm64
 * @param target zig's name of the target
 * @param zig the path of the compiler
 * @returns the path of the archive (`archive`), the folder of the headers (`include`), and the path of a JSON file with all files that
 *   the compiler has read (`list`). The paths in the JSON file are relative to its folder.
 * @throws if one of these files is not as it was published
 */
export async function compileAwsLc(root, processor, target, zig) {
  const crate = fetchCrate(root, PACKAGES.awsLc);
  const library = join(crate, "aws-lc");
  const include = join(library, "include");
  // A change of this file or of published.mjs compiles AWS-LC again, with the options and the comparison that are valid now.
  const buildScripts = [import.meta.filename, join(import.meta.dirname, "published.mjs")];
  const scriptTexts = buildScripts.map((path) => readFileSync(path, "utf8"));
  const key = cacheKeyOf(PACKAGES.awsLc.checksum, target, STACK_PROTECTOR, ...scriptTexts);
  const cacheFolder = join(root, ".cache", "runtime");
  const archive = join(cacheFolder, `aws-lc-${processor}-${key}.a`);
  const list = `${archive}.json`;
  if (existsSync(archive)) return { archive, include, list };
  mkdirSync(cacheFolder, { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder, "aws-lc-"));
  try {
    const packages = [readCrateChecksums(crate), readZigChecksums(zig)];
    const units = readSourceLists(crate, processor, packages).map((path, index) => ({
      source: join(library, path),
      command: COMMANDS[path.slice(path.lastIndexOf(".") + 1)],
      // Sources in two folders may have the same name, so the name of the object file begins with a number.
      object: join(temporary, `${index}-${path.slice(path.lastIndexOf("/") + 1)}.o`),
    }));
    const readFiles = await compileUnits(zig, optionsFor(library, target), units, packages);
    const newArchive = join(temporary, "result.a");
    await run(zig, ["ar", "rcsD", newArchive, ...units.map(({ object }) => object)]);
    const relativePaths = [...readFiles].map((file) => relative(cacheFolder, file));
    const sortedPaths = relativePaths.toSorted((one, other) => (one < other ? -1 : 1));
    writeFileSync(list, `${JSON.stringify(sortedPaths, null, 1)}\n`);
    // The archive gets its name last: if it exists, the list exists as well.
    renameSync(newArchive, archive);
    return { archive, include, list };
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Returns the compiler options for all sources. `library` is the folder of AWS-LC. */
function optionsFor(library, target) {
  const bignum = join(library, "third_party/s2n-bignum");
  const includes = [join(library, "include"), join(bignum, "include"), join(bignum, "s2n-bignum-imported/include")];
  // AWS-LC's errors name their source file. This option removes the folder on this machine from these names.
  const shortenedPaths = `-fmacro-prefix-map=${library}/=`;
  return ["-target", target, ...FLAGS, shortenedPaths, ...includes.map((path) => `-I${path}`)];
}

/**
 * Compiles all sources on all processors of this machine, and compares each file that the compiler reads with its package. After a
 * failure no further compilation begins.
 *
 * @returns the absolute paths of the files that the compiler has read
 * @throws the first failure, after all running compilations have ended
 */
async function compileUnits(zig, options, units, packages) {
  const remaining = [...units];
  const readFiles = new Set();
  const compileNext = async () => {
    const { source, command, object } = remaining.shift();
    const rule = `${object}.d`;
    await run(zig, [...command, ...options, "-MD", "-MT", "made", "-MF", rule, "-c", "-o", object, source]);
    const newFiles = parseMakeRule(readFileSync(rule, "utf8")).filter((file) => !readFiles.has(file));
    expectPublished(newFiles, packages);
    for (const file of newFiles) readFiles.add(file);
  };
  const compileRemaining = async () => {
    try {
      while (remaining.length > 0) await compileNext();
    } catch (problem) {
      remaining.length = 0;
      throw problem;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: availableParallelism() }, compileRemaining));
  for (const { reason } of results) if (reason !== undefined) throw reason;
  return readFiles;
}

/**
 * Reads the paths of all sources from the lists of the crate and, for TLS, of AWS-LC. The linker leaves out the code that nothing needs.
 * A line of a list of the crate is `"crypto/asn1/a_bool.c",`; a line of CMakeLists.txt is `  tls13_both.cc`.
 *
 * @returns the paths, relative to the folder of AWS-LC
 */
function readSourceLists(crate, processor, packages) {
  const lists = ["universal", PROCESSOR_LISTS[processor]].map((name) =>
    join(crate, "builder/cc_builder", `${name}.rs`),
  );
  // The crate builds TLS with CMake, and has no list of its own for TLS.
  const tlsList = join(crate, "aws-lc/ssl/CMakeLists.txt");
  expectPublished([...lists, tlsList], packages);
  const cryptoSources = lists.flatMap((path) =>
    Array.from(readFileSync(path, "utf8").matchAll(/"([^"]+\.[cS])"/g), ([, name]) => name),
  );
  // The first command of CMakeLists.txt, up to its bracket, lists the sources of the library.
  const [tlsCommand] = readFileSync(tlsList, "utf8").split(")", 1);
  const tlsSources = Array.from(tlsCommand.matchAll(/\w+\.cc?$/gm), ([name]) => `ssl/${name}`);
  return [...cryptoSources, ...tlsSources].filter((path) => !UNUSED_SOURCES.test(path));
}
