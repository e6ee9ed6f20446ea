// Compiles QuickJS (quickjs-ng), the engine of the executables for Linux, and scripts to its bytecode.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { patchedSources, patchesIn } from "./patches.mjs";
import { compiled } from "./parts/compile.mjs";
import { crateSources } from "./parts/crate.mjs";
import { run } from "./parts/run.mjs";
import { VERSIONS } from "./parts/versions.mjs";

/** The files of C that the runtime needs; quickjs-libc.c has what runtime/native replaces. */
const UNITS = ["quickjs", "libregexp", "libunicode", "dtoa"];

/** The folder of the patches. */
export const PATCHES = "runtime/quickjs";

/** The patches for the checking mode alone (runtime/native/checked/checked.h). */
const OF_CHECKS = /^\d+-checked-/;

/** The files that a patch of the checking mode includes, below runtime/native. */
const INCLUDED_BY_CHECKS = ["checked/cells.inc", "checked/checked.h"];

/**
 * @param root the repository
 * @returns the folder of the sources as they are published
 */
export function publishedQuickjs(root) {
  return join(crateSources(root, VERSIONS.quickjs), VERSIONS.quickjs.holds.folder);
}

/**
 * @param root the repository
 * @param isChecked with the patches of the checking mode, for tests
 * @returns the folder of the sources with the patches of runtime/quickjs
 */
export function quickjsSources(root, isChecked = false) {
  const patches = patchesIn(join(root, PATCHES)).filter((path) => isChecked || !OF_CHECKS.test(basename(path)));
  return patchedSources(
    publishedQuickjs(root),
    VERSIONS.quickjs.checksum,
    patches,
    join(root, ".cache/runtime/quickjs"),
  );
}

/**
 * Compiles the engine.
 *
 * @param root the repository
 * @param compiler the path of zig, or of another compiler
 * @param target zig's name
 * @param flags options
 * @param isChecked with the checks of runtime/native/checked, for tests
 * @returns the paths of its object files
 */
export async function quickjsObjects(root, compiler, target, flags, isChecked = false) {
  const sources = quickjsSources(root, isChecked);
  const native = join(root, "runtime/native");
  const included = isChecked ? INCLUDED_BY_CHECKS.map((name) => readFileSync(join(native, name), "utf8")) : [];
  const options = [...flags, `-I${sources}`, ...(isChecked ? ["-iquote", native] : [])];
  const units = UNITS.map((name) => join(sources, `${name}.c`));
  return compiled(root, compiler, target, units, options, [VERSIONS.quickjs.checksum, ...included]);
}

/**
 * Compiles scripts to the engine's bytecode, which is the same for both processors.
 *
 * @param root the repository
 * @param compiler the path of zig
 * @param options of the compiler, with this machine as the target
 * @param link options of the linker, the same
 * @param objects the engine for this machine
 * @param scripts texts by name
 * @returns bytes by name
 */
export function quickjsBytecode(root, compiler, options, link, objects, scripts) {
  const tool = join(root, ".cache", "runtime", `bytecode-${process.pid}`);
  const object = `${tool}.o`;
  const source = join(root, "runtime/build/bytecode.c");
  try {
    run(compiler, ["cc", ...options, `-I${quickjsSources(root)}`, "-c", "-o", object, source]);
    run(compiler, ["cc", ...link, "-o", tool, object, ...objects]);
    return new Map(
      Array.from(scripts, ([name, text]) => {
        const { error, status, stdout, stderr } = spawnSync(tool, [], { input: text, maxBuffer: 1 << 26 });
        if (error !== undefined || status !== 0) throw new Error(`${name}: ${error?.message ?? stderr.toString()}`);
        return [name, stdout];
      }),
    );
  } finally {
    for (const path of [object, tool]) rmSync(path, { force: true });
  }
}
