// Compiles QuickJS (quickjs-ng), the JavaScript engine of the executables for Linux, and compiles scripts to its bytecode.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { listPatches, patchSources } from "./patches.mjs";
import { compileSources } from "./parts/compile.mjs";
import { fetchCrate } from "./parts/crate.mjs";
import { run } from "./parts/run.mjs";
import { PACKAGES } from "./parts/versions.mjs";

/** The C files of QuickJS that are compiled. quickjs-libc.c is not among them, because runtime/native replaces it. */
const SOURCE_NAMES = ["quickjs", "libregexp", "libunicode", "dtoa"];

/** The folder of the patches, relative to the repository. */
export const PATCHES_FOLDER = "runtime/quickjs";

/** The names of the patches for the checking mode alone (runtime/native/checked/checked.h). */
const CHECKED_PATCH_NAME = /^\d+-checked-/;

/** The files in runtime/native that the patches for the checking mode include. */
const FILES_INCLUDED_BY_CHECKS = ["checked/cells.inc", "checked/checked.h"];

/**
 * Fetches QuickJS, unless an earlier build has fetched it.
 *
 * @param root the repository
 * @returns the folder of the sources as they are published
 */
export function fetchQuickjs(root) {
  const { quickjs } = PACKAGES;
  return join(fetchCrate(root, quickjs), quickjs.library.folder);
}

/**
 * Makes a copy of QuickJS with the patches of runtime/quickjs, unless an earlier build has made it.
 *
 * @param root the repository
 * @param isChecked true for the copy that also has the patches for the checking mode
 * @returns the folder of the copy
 */
export function patchQuickjs(root, isChecked = false) {
  const patches = listPatches(join(root, PATCHES_FOLDER)).filter(
    (path) => isChecked || !CHECKED_PATCH_NAME.test(basename(path)),
  );
  const copyPrefix = join(root, ".cache/runtime/quickjs");
  return patchSources(fetchQuickjs(root), PACKAGES.quickjs.checksum, patches, copyPrefix);
}

/**
 * Compiles QuickJS.
 *
 * @param options.root the repository
 * @param options.compiler the path of zig, or the command of another compiler
 * @param options.target zig's name of the target
 * @param options.flags compiler options
 * @param options.isChecked true for the engine of the checking mode, with the checks of runtime/native/checked
 * @returns the paths of the object files
 */
export async function compileQuickjs({ root, compiler, target, flags, isChecked = false }) {
  const folder = patchQuickjs(root, isChecked);
  const native = join(root, "runtime/native");
  const includedTexts = isChecked
    ? FILES_INCLUDED_BY_CHECKS.map((name) => readFileSync(join(native, name), "utf8"))
    : [];
  return compileSources({
    root,
    compiler,
    target,
    sources: SOURCE_NAMES.map((name) => join(folder, `${name}.c`)),
    flags: [...flags, `-I${folder}`, ...(isChecked ? ["-iquote", native] : [])],
    version: [PACKAGES.quickjs.checksum, ...includedTexts],
  });
}

/**
 * Compiles scripts to bytecode, which is the same for all processors. For that it compiles a tool (bytecode.c), which runs on this
 * machine once for each script.
 *
 * @param options.root the repository
 * @param options.compiler the path of zig
 * @param options.compilerFlags options that compile the tool for this machine
 * @param options.linkerFlags options that link the tool for this machine
 * @param options.engineObjects the object files of the engine for this machine
 * @param options.scripts pairs of the name and the text of a script
 * @returns a Map with the bytecode of each script by its name
 */
export function compileBytecode({ root, compiler, compilerFlags, linkerFlags, engineObjects, scripts }) {
  const tool = join(root, ".cache", "runtime", `bytecode-${process.pid}`);
  const toolObject = `${tool}.o`;
  const toolSource = join(root, "runtime/build/bytecode.c");
  try {
    run(compiler, ["cc", ...compilerFlags, `-I${patchQuickjs(root)}`, "-c", "-o", toolObject, toolSource]);
    run(compiler, ["cc", ...linkerFlags, "-o", tool, toolObject, ...engineObjects]);
    return new Map(scripts.map(([name, text]) => [name, runBytecodeTool(tool, name, text)]));
  } finally {
    for (const path of [toolObject, tool]) rmSync(path, { force: true });
  }
}

/** Returns the bytecode of a script. @throws Error with the syntax error, if the script has one */
function runBytecodeTool(tool, scriptName, text) {
  const { error, status, stdout, stderr } = spawnSync(tool, [], { input: text, maxBuffer: 1 << 26 });
  if (error !== undefined || status !== 0) throw new Error(`${scriptName}: ${error?.message ?? stderr.toString()}`);
  return stdout;
}
