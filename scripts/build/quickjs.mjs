// Compiles QuickJS (quickjs-ng), the engine of the executables for Linux, and scripts to its bytecode.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "./parts/compile.mjs";
import { crateSources } from "./parts/crate.mjs";
import { run } from "./parts/run.mjs";
import { VERSIONS } from "./parts/versions.mjs";

const PARTS = ["libregexp", "libunicode", "dtoa"];

/**
 * @param root the repository
 * @returns the folder of the sources
 */
export function quickjsSources(root) {
  return join(crateSources(root, VERSIONS.quickjs), "quickjs");
}

/**
 * Compiles the engine.
 *
 * @param root the repository
 * @param compiler the path of zig, or of another compiler
 * @param target zig's name
 * @param flags options
 * @returns the paths of its object files
 */
export function quickjsObjects(root, compiler, target, flags) {
  const sources = quickjsSources(root);
  const paths = PARTS.map((part) => join(sources, `${part}.c`));
  const including = [...flags, `-I${sources}`];
  return compiled(root, compiler, target, [engine(root, sources), ...paths], including, VERSIONS.quickjs.checksum);
}

/** Writes the engine's main file with fixed objects (src/runtime/native/fixed.h). Returns its path. */
function engine(root, sources) {
  const fixed = readFileSync(join(root, "src/runtime/native/fixed.h"), "utf8");
  const changes = [
    ["#define JS_REF_COUNT(p) (js_rc(p)->ref_count)\n", fixed],
    // In js_arena_free.
    [
      "if (!ptr)\n        return;\n    b = container_of(ptr,",
      "if (!ptr || js_is_fixed(ptr))\n        return;\n    b = container_of(ptr,",
    ],
  ];
  let text = readFileSync(join(sources, "quickjs.c"), "utf8");
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2) throw new Error(`quickjs.c has another form now: ${from}`);
    text = text.replace(from, () => to);
  }
  const folder = join(root, ".cache", "runtime");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "quickjs.c");
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return path;
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
