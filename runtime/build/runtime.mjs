// Builds the executable for Linux: QuickJS, the runtime in runtime/, and the package's bundle as bytecode, in one static file.
// `npm run build:standalone` calls it. By itself it prints the paths of what it makes, in .cache/runtime:
//
//   node runtime/build/runtime.mjs [x64|arm64 …]              # sophia-run-linux-PROCESSOR
//   node runtime/build/runtime.mjs --shell [x64|arm64 …]      # shell, which runs the script of its first argument, for tests
//   node runtime/build/runtime.mjs --checked [x64|arm64 …]    # checked-sophia-run-linux-PROCESSOR, which checks its memory, for
//                                                             # tests (runtime/native/checked/checked.h), and imageless-…,
//                                                             # which loads all modules at each start
//
// `--compiler COMMAND` takes another compiler for everything but AWS-LC, and writes other-shell.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { deflateSync } from "node:zlib";
import { rolldown } from "rolldown";
import { compileMonitor } from "../../scripts/build/addon.mjs";
import { asAscii, bundle, OUTPUT } from "../../scripts/build/bundle.mjs";
import { renderedHelp } from "../../scripts/build/help.mjs";
import { FLAGS_OF_ALL } from "./parts/compile.mjs";
import { partsFor } from "./parts/parts.mjs";
import { streamAliases, withoutLogs } from "./parts/streams.mjs";
import { zig } from "./parts/zig.mjs";
import { BuildFailure, runScript } from "./failure.mjs";
import { canMakeImage, imagedFiles, linkWithImage } from "./image.mjs";
import { quickjsBytecode, quickjsObjects, quickjsSources } from "./quickjs.mjs";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".cache", "runtime");
const native = join(root, "runtime/native");
const run = promisify(execFile);

/** The names of zig for this project's processors. */
export const ZIG_TARGETS = { x64: "x86_64-linux-musl", arm64: "aarch64-linux-musl" };
/** Addons of the package by the name of the function that fills each. */
const ADDONS = {
  fill_system_addon: "native/system.c",
  fill_masking_addon: "native/masking/masking-addon.c",
  fill_monitor_addon: "native/monitor/monitor-addon.c",
};
const LANGUAGE = ["-std=gnu11", "-D_GNU_SOURCE", "-DNDEBUG", "-O2"];
const FLAGS = [...LANGUAGE, ...FLAGS_OF_ALL];

/** For this repository's own C. Functions for JavaScript have parameters that some do not need. */
const WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wno-unused-parameter", "-Werror"];

/**
 * For each link, that of a tool of the build, too: zig compiles its C library once for each set of such options, which takes 40 s
 * of processor time. -O2 also merges strings that others end with.
 */
const LINK = ["-static", "-s", "-O2", "-Wl,--gc-sections", "-Wl,-z,noexecstack", "-Wl,-z,relro", "-Wl,--build-id=none"];

/** Compiles a file of C. @returns the object file */
async function compile(compiler, args, source, output) {
  await run(compiler, ["cc", ...args, "-c", source, "-o", output], { maxBuffer: 1 << 26 });
  return output;
}

/** Runs tasks on all processors. @returns their results, in the order of the tasks */
async function runAll(tasks) {
  const results = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      while (next < tasks.length) {
        const index = next++;
        results[index] = await tasks[index]();
      }
    }),
  );
  return results;
}

/**
 * The files that the build makes, each with the beginning of its name and the macros of its C.
 *
 * - `executable`: what ships
 * - `checked`: with checks of its memory
 * - `imageless`: without image
 * - `shell`: runs a script
 */
const KINDS = {
  executable: { prefix: "", macros: [] },
  checked: { prefix: "checked-", macros: ["-DCHECKED"] },
  imageless: { prefix: "imageless-", macros: [] },
  shell: { prefix: "", macros: ["-DSHELL"] },
};

/** Files that every start loads, besides the entry, which runs the program before it has exports. */
const BASE =
  /\/runtime\/(?:loop|native|random|errors|locale|bytes\/.*|modules\/(?:buffer|events|fs|path|process|signals|timers))\.ts$/;
const RUNTIME_NAMES = "runtime-[name].cjs";

/** Returns rolldown's chunks of the runtime, for a bundle whose entry has this name. */
export async function bundleRuntime(program) {
  const modules = readdirSync(join(root, "runtime/modules")).filter((name) => name.endsWith(".ts"));
  const input = Object.fromEntries(modules.map((name) => [basename(name, ".ts"), `runtime/modules/${name}`]));
  const build = await rolldown({
    cwd: root,
    input: { host: "runtime/host.ts", ...input },
    preserveEntrySignatures: "exports-only",
    plugins: [withoutLogs()],
    resolve: { alias: streamAliases(root) },
    transform: {
      target: "es2023",
      define: program === undefined ? {} : { SOPHIA_RUN_PROGRAM: JSON.stringify(program) },
    },
  });
  const { output } = await build.generate({
    ...OUTPUT,
    // Every start loads these, each further file costs it 20 microseconds.
    codeSplitting: { groups: [{ name: "base", test: BASE }] },
    entryFileNames: RUNTIME_NAMES,
    chunkFileNames: "runtime-chunk-[name]-[hash].cjs",
  });
  await build.close();
  // The bundler only warns of a package that is not installed.
  const names = new Set(output.map(({ fileName }) => fileName));
  const missing = output.flatMap(({ imports }) => imports).find((name) => !names.has(name));
  if (missing !== undefined) throw new Error(`${missing} is not installed: npm ci`);
  return output;
}

/** Loads the files of the runtime by name, each once. */
const BOOT = `(function(exports,unused,native){
  const known = new Map();
  native.require = (name) => {
    if (known.has(name)) return known.get(name);
    const file = native.load(name);
    if (file === undefined) throw Object.assign(new Error("no file " + name), { code: "MODULE_NOT_FOUND" });
    const exports = {};
    known.set(name, exports);
    file(exports, native.require, native);
    return exports;
  };
  return native.require("./runtime-host.cjs").start;
})`;

/** Compiles scripts to bytecode. @returns bytes by name */
async function bytecodeOf(compiler, scripts) {
  const target = ZIG_TARGETS[process.arch];
  const objects = await quickjsObjects(root, compiler, target, LANGUAGE);
  const options = ["-target", target];
  return quickjsBytecode(root, compiler, [...options, ...FLAGS], [...options, ...LINK], objects, scripts);
}

/** Compiles all files to bytecode. `imaged` are the names of those for the image. */
async function compiledFiles(compiler, isShell) {
  const chunks = isShell ? [] : await bundle({ SOPHIA_RUN_STANDALONE: "false" }, [await renderedHelp()]);
  const program = chunks.find(({ isEntry }) => isEntry);
  const scripts = chunks.map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${code}\n})`,
  ]);
  const runtime = await bundleRuntime(program && `./${program.fileName}`);
  const runtimeScripts = runtime.map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,NATIVE){${asAscii(code)}\n})`,
  ]);
  const files = await bytecodeOf(compiler, [["boot", BOOT], ...runtimeScripts, ...scripts]);
  return { files, imaged: isShell ? [] : imagedFiles(chunks, runtime) };
}

/** Writes the table of files for main.c, and an image of this size. */
function writeTable(work, files, monitor, imageSize) {
  const parts = [...Array.from(files.values(), (bytes) => deflateSync(bytes, { level: 9 })), monitor];
  for (const [index, bytes] of parts.entries()) writeFileSync(join(work, `file-${index}`), bytes);
  const assembly = parts.map((_, index) => {
    const path = JSON.stringify(join(work, `file-${index}`));
    return `.balign 16\n.globl file_${index}, file_${index}_end\nfile_${index}: .incbin ${path}\nfile_${index}_end: .byte 0\n`;
  });
  const image = `.section image,"aw",%progbits\n.balign 4096\n.globl image_room, image_room_end\nimage_room: .zero ${imageSize}\nimage_room_end:\n`;
  writeFileSync(
    join(work, "data.S"),
    `.section .rodata\n${assembly.join("")}${image}.section .note.GNU-stack,"",%progbits\n`,
  );
  const declared = parts.map((_, index) => `extern const uint8_t file_${index}[], file_${index}_end[];\n`);
  const entries = Array.from(files).map(
    ([name, bytes], index) => `  {${JSON.stringify(name)}, file_${index}, file_${index}_end, ${bytes.length}},\n`,
  );
  const last = parts.length - 1;
  writeFileSync(
    join(work, "table.c"),
    `#include "files.h"\n${declared.join("")}const struct file FILES[] = {\n${entries.join("")}};\n` +
      `const size_t FILE_COUNT = ${files.size};\nconst struct file MONITOR = {"monitor", file_${last}, file_${last}_end, ${monitor.length}};\n`,
  );
}

/** @returns the monitor's program, as a release of the npm package has it */
function compiledMonitor(platform, compiler) {
  const { bytes, problem } = compileMonitor(root, platform, compiler);
  if (problem !== undefined) throw new BuildFailure(`the monitor for ${platform} is not compiled: ${problem}`);
  return bytes;
}

/** The part that several kinds have in common, which is made once: the bundle, in bytecode. */
const compiledOnce = new Map();

/**
 * Builds one of the files.
 *
 * @param processor Node's name
 * @param kind one of {@link KINDS}
 * @param otherCompiler the command of a compiler in place of zig, for everything but AWS-LC
 * @param added names and texts of further files of the runtime in the image, for tests
 * @param step is told what the build does
 * @returns the path of the executable
 */
export async function buildRuntime(processor, kind, otherCompiler, added = [], step = () => {}) {
  const isShell = kind === "shell";
  const isChecked = kind === "checked";
  const { prefix, macros } = KINDS[kind];
  step("fetching the compiler, if it is not in .cache");
  const { compiler: usual } = zig(root);
  const compiler = otherCompiler ?? usual;
  const target = ZIG_TARGETS[processor];
  const work = join(folder, `${target}-${kind}-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const monitor = compiledMonitor(`linux-${processor}`, usual);
    step("compiling libraries and engine, if they are not in .cache");
    const quickjs = quickjsSources(root);
    const [parts, engine] = await Promise.all([
      partsFor(root, processor, target, usual, otherCompiler),
      quickjsObjects(root, compiler, target, LANGUAGE, isChecked),
    ]);
    step("bundling, and compiling to bytecode");
    if (!compiledOnce.has(isShell)) compiledOnce.set(isShell, compiledFiles(usual, isShell));
    const common = await compiledOnce.get(isShell);
    const files = new Map(common.files);
    const imaged = new Set(common.imaged);
    if (added.length > 0) {
      for (const [name, bytes] of await bytecodeOf(usual, added)) files.set(name, bytes);
      for (const [name] of added) imaged.add(name);
    }
    const base = [
      "-target",
      target,
      ...FLAGS,
      ...WARNINGS,
      `-isystem${quickjs}`,
      `-I${native}`,
      ...parts.flatMap(({ flags }) => flags),
    ];
    step("compiling the runtime");
    const names = readdirSync(native).filter((name) => name.endsWith(".c"));
    const checked = isChecked ? ["-include", join(native, "checked/ends.h")] : [];
    const sources = [
      ...names.map((name) => [[...macros, ...checked], join(native, name)]),
      ...Object.entries(ADDONS).map(([fill, path]) => [
        [`-DADDON=${fill}`, "-DSOPHIA_RUN_RUNTIME", ...checked],
        join(root, path),
      ]),
      ...(isChecked ? [[macros, join(native, "checked/checked.c")]] : []),
    ];
    const objects = await runAll(
      sources.map(
        ([flags, source], index) =>
          () =>
            compile(compiler, [...base, ...flags], source, join(work, `${index}.o`)),
      ),
    );
    const output = join(
      folder,
      `${otherCompiler === undefined ? "" : "other-"}${prefix}${isShell ? "shell" : `sophia-run-linux-${processor}`}`,
    );
    const executable = join(work, "executable");
    const link = async (compressed, imageSize) => {
      writeTable(work, compressed, monitor, imageSize);
      const tables = ["table.c", "data.S"].map((name) =>
        compile(compiler, base, join(work, name), join(work, `${name}.o`)),
      );
      const inputs = [...engine, ...objects, ...(await Promise.all(tables)), ...parts.flatMap((part) => part.objects)];
      // zig's libc++ is not linked (parts/libcxx.cpp).
      const entry = otherCompiler === undefined ? ["-Wl,-e,start_on_small_stack"] : [];
      const language = otherCompiler === undefined ? "cc" : "c++";
      await run(compiler, [language, "-target", target, ...LINK, ...entry, "-o", executable, ...inputs], {
        maxBuffer: 1 << 26,
      });
      return executable;
    };
    const hasImage = !isShell && kind !== "imageless" && otherCompiler === undefined && canMakeImage(processor);
    step(hasImage ? "linking, and storing the image of a start" : "linking");
    if (hasImage) await linkWithImage(files, imaged, processor, link);
    else await link(files, 0);
    renameSync(executable, output);
    return output;
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const words = process.argv.slice(2);
  const kinds = words.includes("--shell")
    ? ["shell"]
    : words.includes("--checked")
      ? ["checked", "imageless"]
      : ["executable"];
  const option = words.indexOf("--compiler");
  const [, compiler] = option === -1 ? [] : words.splice(option, 2);
  const processors = words.filter((word) => !word.startsWith("--"));
  await runScript(async () => {
    for (const processor of processors.length > 0 ? processors : [process.arch]) {
      for (const kind of kinds) process.stdout.write(`${await buildRuntime(processor, kind, compiler)}\n`);
    }
  });
}
