// Fetches and compiles QuickJS (quickjs-ng), in which an executable for Linux makes most starts. Its sources come from a
// crate.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The crate that holds the sources, and the SHA-256 of its package. */
export const CRATE = {
  name: "rquickjs-sys",
  version: "0.14.0",
  checksum: "cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423",
};
/** The engine's licence, which is distributed with the executables. */
export const LICENCE = join(import.meta.dirname, "quickjs-licence.txt");

const PARTS = ["quickjs", "libregexp", "libunicode", "dtoa"];
/** Options of the compiler that runs on this machine. */
export const ENGINE_FLAGS = [
  "-O2",
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-DNDEBUG",
  "-fno-pie",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-math-errno",
  "-ffunction-sections",
  "-fdata-sections",
  "-U_FORTIFY_SOURCE",
  // There is one thread, so no atomics.
  "-D__STDC_NO_ATOMICS__=1",
];

/**
 * @param root the repository
 * @returns the folder of the sources
 * @throws if cargo is missing, or the crate has a different checksum
 */
export function quickjsSources(root) {
  const folder = join(root, ".cache", "quickjs", CRATE.version);
  if (existsSync(folder)) return folder;
  const temporary = mkdtempSync(join(tmpdir(), "sophia-run-quickjs-"));
  try {
    const dependency = `${CRATE.name} = { version = "=${CRATE.version}", default-features = false }`;
    writeFileSync(
      join(temporary, "Cargo.toml"),
      `[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "none.rs"\n[dependencies]\n${dependency}\n`,
    );
    writeFileSync(join(temporary, "none.rs"), "");
    run("cargo", ["vendor", "--quiet", "vendor"], temporary);
    const crate = join(temporary, "vendor", CRATE.name);
    const { package: checksum } = JSON.parse(readFileSync(join(crate, ".cargo-checksum.json"), "utf8"));
    if (checksum !== CRATE.checksum)
      throw new Error(`${CRATE.name} ${CRATE.version} has another checksum: ${checksum}`);
    const sources = join(crate, "quickjs");
    if (!readFileSync(join(sources, "LICENSE")).equals(readFileSync(LICENCE))) {
      throw new Error(`${LICENCE} is not the licence of ${CRATE.name} ${CRATE.version}`);
    }
    mkdirSync(join(folder, ".."), { recursive: true });
    // Renames, because another build may do the same.
    const copy = `${folder}.${process.pid}`;
    cpSync(sources, copy, { recursive: true });
    renameSync(copy, folder);
    return folder;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/**
 * @param compiler the name of a C compiler
 * @param processor for which it compiles
 * @returns the object files of the engine
 */
export function quickjsObjects(root, compiler, processor) {
  const sources = quickjsSources(root);
  return PARTS.map((part) => {
    const output = join(sources, `${part}-${processor}.o`);
    if (!existsSync(output)) run(compiler, [...ENGINE_FLAGS, "-c", "-o", output, join(sources, `${part}.c`)]);
    return output;
  });
}

/**
 * Compiles scripts to the engine's bytecode, which is the same for both processors.
 *
 * @param scripts texts by name
 * @returns bytes by name
 */
export function quickjsBytecode(root, scripts) {
  const sources = quickjsSources(root);
  const compiler = join(sources, "bytecode");
  const objects = quickjsObjects(root, "cc", process.arch);
  const source = join(root, "scripts/build/bytecode.c");
  run("cc", ["-D_GNU_SOURCE", "-no-pie", `-I${sources}`, "-o", compiler, source, ...objects, "-lm"]);
  return new Map(
    Array.from(scripts, ([name, text]) => {
      const { error, status, stdout, stderr } = spawnSync(compiler, [], { input: text, maxBuffer: 1 << 26 });
      if (error !== undefined || status !== 0) throw new Error(`${name}: ${error?.message ?? stderr.toString()}`);
      return [name, stdout];
    }),
  );
}

/** @throws with the command's output */
export function run(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
