// Compiles QuickJS (quickjs-ng), the engine of the executables for Linux, and scripts to its bytecode.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { crateSources } from "./parts/crate.mjs";
import { keyOf } from "./parts/key.mjs";
import { VERSIONS } from "./parts/versions.mjs";

const PARTS = ["quickjs", "libregexp", "libunicode", "dtoa"];

/**
 * @param root the repository
 * @returns the folder of the sources
 */
export function quickjsSources(root) {
  return join(crateSources(root, VERSIONS.quickjs), "quickjs");
}

/**
 * Compiles the engine, once for each set of options.
 *
 * @param root the repository
 * @param compiler the path of zig
 * @param options of the compiler, with the target
 * @param folder for the object files
 * @returns their paths
 */
export function quickjsObjects(root, compiler, options, folder) {
  const sources = quickjsSources(root);
  const key = keyOf(VERSIONS.quickjs.checksum, options);
  mkdirSync(folder, { recursive: true });
  return PARTS.map((part) => {
    const output = join(folder, `${part}-${key}.o`);
    if (existsSync(output)) return output;
    // Renames, because another build may do the same.
    const own = `${output}.${process.pid}`;
    run(compiler, ["cc", ...options, "-c", "-o", own, join(sources, `${part}.c`)]);
    renameSync(own, output);
    return output;
  });
}

/**
 * Compiles scripts to the engine's bytecode, which is the same for both processors.
 *
 * @param root the repository
 * @param compiler the path of zig
 * @param options of the compiler, with this machine as the target
 * @param objects the engine for this machine
 * @param scripts texts by name
 * @returns bytes by name
 */
export function quickjsBytecode(root, compiler, options, objects, scripts) {
  const tool = join(root, ".cache", "runtime", `bytecode-${process.pid}`);
  const source = join(root, "scripts/build/bytecode.c");
  run(compiler, ["cc", ...options, "-static", `-I${quickjsSources(root)}`, "-o", tool, source, ...objects]);
  try {
    return new Map(
      Array.from(scripts, ([name, text]) => {
        const { error, status, stdout, stderr } = spawnSync(tool, [], { input: text, maxBuffer: 1 << 26 });
        if (error !== undefined || status !== 0) throw new Error(`${name}: ${error?.message ?? stderr.toString()}`);
        return [name, stdout];
      }),
    );
  } finally {
    rmSync(tool);
  }
}

/** @throws with the command's output */
export function run(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
