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
import { COMMON_FLAGS } from "./parts/compile.mjs";
import { compileLibraries } from "./parts/parts.mjs";
import { createStreamPlugin, streamAliases } from "./parts/streams.mjs";
import { fetchZig } from "./parts/zig.mjs";
import { BuildFailure, runScript } from "./failure.mjs";
import { canMakeImage, linkWithImage, selectImagedFiles } from "./image.mjs";
import { compileBytecode, compileQuickjs, patchQuickjs } from "./quickjs.mjs";

const root = join(import.meta.dirname, "../..");
const outputFolder = join(root, ".cache", "runtime");
const nativeFolder = join(root, "runtime/native");
const run = promisify(execFile);

/** zig's names of the targets, by Node's name of the processor. */
export const ZIG_TARGETS = { x64: "x86_64-linux-musl", arm64: "aarch64-linux-musl" };
/** The addons of the package, by the name of the function that fills each. They are compiled into the executable. */
const ADDONS = {
  fill_system_addon: "native/system.c",
  fill_masking_addon: "native/masking/masking-addon.c",
  fill_monitor_addon: "native/monitor/monitor-addon.c",
};
const LANGUAGE_FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DNDEBUG", "-O2"];
const C_FLAGS = [...LANGUAGE_FLAGS, ...COMMON_FLAGS];

/** The warnings for this repository's own C. All functions for JavaScript have the same parameters, which some do not use. */
const WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wno-unused-parameter", "-Werror"];

/**
 * The options of each link. A link of a tool of the build also uses them, because zig compiles its C library once for each set of these
 * options, which takes 40 s of processor time. -O2 also merges a string with another one that ends with it.
 */
const LINKER_FLAGS = [
  "-static",
  "-s",
  "-O2",
  "-Wl,--gc-sections",
  "-Wl,-z,noexecstack",
  "-Wl,-z,relro",
  "-Wl,--build-id=none",
];

/** Compiles a file of C. @returns the path of the object file, which is `output` */
async function compileC(compiler, flags, source, output) {
  await run(compiler, ["cc", ...flags, "-c", source, "-o", output], { maxBuffer: 1 << 26 });
  return output;
}

/** Runs functions on all processors of this machine. @returns their results, in the order of the functions */
async function runAll(tasks) {
  const results = [];
  let nextIndex = 0;
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      while (nextIndex < tasks.length) {
        const index = nextIndex++;
        results[index] = await tasks[index]();
      }
    }),
  );
  return results;
}

/**
 * The kinds of executables that the build makes. Each has the beginning of its file's name, and the macros for its C code.
 *
 * - `executable`: the executable that is published
 * - `checked`: the executable with checks of its memory, for tests
 * - `imageless`: the executable without an image, for tests
 * - `shell`: an executable that runs a script in place of the program, for tests
 */
const KINDS = {
  executable: { prefix: "", macros: [] },
  checked: { prefix: "checked-", macros: ["-DCHECKED"] },
  imageless: { prefix: "imageless-", macros: [] },
  shell: { prefix: "", macros: ["-DSHELL"] },
};

/** The sources that every start loads. The entry (host.ts) is not among them, because it runs the program before it has exports. */
const SOURCES_OF_EVERY_START =
  /\/runtime\/(?:loop|native|random|errors|locale|bytes\/.*|modules\/(?:buffer|events|fs|path|process|signals|timers))\.ts$/;
const RUNTIME_FILE_NAMES = "runtime-[name].cjs";

/**
 * Bundles the runtime.
 *
 * @param programFile the name of the bundle's entry, which the runtime starts; undefined for the shell
 * @returns rolldown's chunks
 */
export async function bundleRuntime(programFile) {
  const modules = readdirSync(join(root, "runtime/modules")).filter((name) => name.endsWith(".ts"));
  const input = Object.fromEntries(modules.map((name) => [basename(name, ".ts"), `runtime/modules/${name}`]));
  const build = await rolldown({
    cwd: root,
    input: { host: "runtime/host.ts", ...input },
    preserveEntrySignatures: "exports-only",
    plugins: [createStreamPlugin()],
    resolve: { alias: streamAliases(root) },
    transform: {
      target: "es2023",
      define: programFile === undefined ? {} : { SOPHIA_RUN_PROGRAM: JSON.stringify(programFile) },
    },
  });
  const { output: chunks } = await build.generate({
    ...OUTPUT,
    // These sources are in one file, because each further file costs every start 20 microseconds.
    codeSplitting: { groups: [{ name: "base", test: SOURCES_OF_EVERY_START }] },
    entryFileNames: RUNTIME_FILE_NAMES,
    chunkFileNames: "runtime-chunk-[name]-[hash].cjs",
  });
  await build.close();
  // If a package is not installed, the bundler only warns.
  const fileNames = new Set(chunks.map(({ fileName }) => fileName));
  const missingFile = chunks.flatMap(({ imports }) => imports).find((name) => !fileNames.has(name));
  if (missingFile !== undefined) throw new Error(`${missingFile} is not installed: npm ci`);
  return chunks;
}

/** The first script that the executable runs. It defines `require`, which loads each file of the runtime once, and returns `start`. */
const BOOT_SCRIPT = `(function(exports,unused,native){
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

/** Compiles scripts to bytecode. @returns a Map with the bytecode of each script by its name */
async function compileScripts(compiler, scripts) {
  const target = ZIG_TARGETS[process.arch];
  const engineObjects = await compileQuickjs({ root, compiler, target, flags: LANGUAGE_FLAGS });
  const targetFlags = ["-target", target];
  return compileBytecode({
    root,
    compiler,
    compilerFlags: [...targetFlags, ...C_FLAGS],
    linkerFlags: [...targetFlags, ...LINKER_FLAGS],
    engineObjects,
    scripts,
  });
}

/**
 * Bundles the program and the runtime, and compiles all files to bytecode. The shell has no program.
 *
 * @returns a Map of the files by name (`files`), and the names of the files for the image (`imagedNames`)
 */
async function compileBundles(compiler, isShell) {
  const programChunks = isShell ? [] : await bundle({ SOPHIA_RUN_STANDALONE: "false" }, [await renderedHelp()]);
  const program = programChunks.find(({ isEntry }) => isEntry);
  const programScripts = programChunks.map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${code}\n})`,
  ]);
  const runtimeChunks = await bundleRuntime(program && `./${program.fileName}`);
  const runtimeScripts = runtimeChunks.map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,NATIVE){${asAscii(code)}\n})`,
  ]);
  const scripts = [["boot", BOOT_SCRIPT], ...runtimeScripts, ...programScripts];
  const files = await compileScripts(compiler, scripts);
  return { files, imagedNames: isShell ? [] : selectImagedFiles(programChunks, runtimeChunks) };
}

/** The results of {@link compileBundles}, by whether they are for the shell. Several kinds of executables contain the same files. */
const compiledBundles = new Map();

/**
 * Returns the files of an executable, in bytecode.
 *
 * @param addedScripts pairs of the name and the text of a further script for the image, for tests
 */
async function filesFor(compiler, isShell, addedScripts) {
  if (!compiledBundles.has(isShell)) compiledBundles.set(isShell, compileBundles(compiler, isShell));
  const common = await compiledBundles.get(isShell);
  const files = new Map(common.files);
  const imagedNames = new Set(common.imagedNames);
  if (addedScripts.length > 0) {
    for (const [name, bytes] of await compileScripts(compiler, addedScripts)) files.set(name, bytes);
    for (const [name] of addedScripts) imagedNames.add(name);
  }
  return { files, imagedNames };
}

/**
 * Writes two sources, which are linked: data.S with the compressed files, the monitor and a section for the image, and table.c with the
 * table of the files for main.c. An entry of the table is the name, the begin and the end of the compressed bytes, and the
 * uncompressed size:
 *
 *     {"./runtime-host.cjs", file_1, file_1_end, 12345},
 */
function writeTable(work, files, monitor, imageBytes) {
  const contents = [...Array.from(files.values(), (bytes) => deflateSync(bytes, { level: 9 })), monitor];
  for (const [index, bytes] of contents.entries()) writeFileSync(join(work, `file-${index}`), bytes);
  const assembly = contents.map((_, index) => {
    const path = JSON.stringify(join(work, `file-${index}`));
    return `.balign 16\n.globl file_${index}, file_${index}_end\nfile_${index}: .incbin ${path}\nfile_${index}_end: .byte 0\n`;
  });
  const image = `.section image,"aw",%progbits\n.balign 4096\n.globl image_room, image_room_end\nimage_room: .zero ${imageBytes}\nimage_room_end:\n`;
  writeFileSync(
    join(work, "data.S"),
    `.section .rodata\n${assembly.join("")}${image}.section .note.GNU-stack,"",%progbits\n`,
  );
  const declarations = contents.map((_, index) => `extern const uint8_t file_${index}[], file_${index}_end[];\n`);
  const entries = Array.from(files).map(
    ([name, bytes], index) => `  {${JSON.stringify(name)}, file_${index}, file_${index}_end, ${bytes.length}},\n`,
  );
  const monitorIndex = contents.length - 1;
  writeFileSync(
    join(work, "table.c"),
    `#include "files.h"\n${declarations.join("")}const struct file FILES[] = {\n${entries.join("")}};\n` +
      `const size_t FILE_COUNT = ${files.size};\nconst struct file MONITOR = {"monitor", file_${monitorIndex}, file_${monitorIndex}_end, ${monitor.length}};\n`,
  );
}

/** Compiles the monitor's program with zig, so that it has the same bytes as in a release of the npm package. */
function compileMonitorProgram(platform, zig) {
  const { bytes, problem } = compileMonitor(root, platform, zig);
  if (problem !== undefined) throw new BuildFailure(`the monitor for ${platform} is not compiled: ${problem}`);
  return bytes;
}

/** Lists the C files of the runtime and of the addons, each with the compiler flags that only this file gets. */
function listCSources(kind) {
  const { macros } = KINDS[kind];
  const isChecked = kind === "checked";
  const checkedExits = isChecked ? ["-include", join(nativeFolder, "checked/ends.h")] : [];
  const runtimeNames = readdirSync(nativeFolder).filter((name) => name.endsWith(".c"));
  return [
    ...runtimeNames.map((name) => ({ source: join(nativeFolder, name), flags: [...macros, ...checkedExits] })),
    ...Object.entries(ADDONS).map(([fillFunction, path]) => ({
      source: join(root, path),
      flags: [`-DADDON=${fillFunction}`, "-DSOPHIA_RUN_RUNTIME", ...checkedExits],
    })),
    ...(isChecked ? [{ source: join(nativeFolder, "checked/checked.c"), flags: macros }] : []),
  ];
}

/** Compiles all C files of the runtime and of the addons. @returns the paths of the object files, which are in `work` */
async function compileRuntime({ compiler, flags, kind, work }) {
  const tasks = listCSources(kind).map(
    ({ source, flags: ownFlags }, index) =>
      () =>
        compileC(compiler, [...flags, ...ownFlags], source, join(work, `${index}.o`)),
  );
  return runAll(tasks);
}

/** Returns the path of an executable, such as `checked-sophia-run-linux-x64` or `other-shell` in .cache/runtime. */
function outputPath(processor, kind, otherCompiler) {
  const compilerPrefix = otherCompiler === undefined ? "" : "other-";
  const name = kind === "shell" ? "shell" : `sophia-run-linux-${processor}`;
  return join(outputFolder, `${compilerPrefix}${KINDS[kind].prefix}${name}`);
}

/**
 * Builds an executable.
 *
 * @param options.processor Node's name of the processor
 * @param options.kind one of {@link KINDS}
 * @param options.otherCompiler the command of a compiler in place of zig, for everything but AWS-LC
 * @param options.addedScripts pairs of the name and the text of a further script of the runtime for the image, for tests
 * @param options.reportStep is called with a description of each step of the build
 * @returns the path of the executable
 */
export async function buildRuntime({ processor, kind, otherCompiler, addedScripts = [], reportStep = () => {} }) {
  const isShell = kind === "shell";
  reportStep("fetching the compiler, if it is not in .cache");
  const { compiler: zig } = fetchZig(root);
  const compiler = otherCompiler ?? zig;
  const target = ZIG_TARGETS[processor];
  const work = join(outputFolder, `${target}-${kind}-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const monitor = compileMonitorProgram(`linux-${processor}`, zig);
    reportStep("compiling libraries and engine, if they are not in .cache");
    const quickjsHeaders = patchQuickjs(root);
    const [libraries, engineObjects] = await Promise.all([
      compileLibraries({ root, processor, target, zig, otherCompiler }),
      compileQuickjs({ root, compiler, target, flags: LANGUAGE_FLAGS, isChecked: kind === "checked" }),
    ]);
    reportStep("bundling, and compiling to bytecode");
    const { files, imagedNames } = await filesFor(zig, isShell, addedScripts);
    reportStep("compiling the runtime");
    const includes = [`-isystem${quickjsHeaders}`, `-I${nativeFolder}`, ...libraries.flatMap(({ flags }) => flags)];
    const flags = ["-target", target, ...C_FLAGS, ...WARNINGS, ...includes];
    const runtimeObjects = await compileRuntime({ compiler, flags, kind, work });
    const executable = join(work, "executable");
    const link = async (linkedFiles, imageBytes) => {
      writeTable(work, linkedFiles, monitor, imageBytes);
      const tableObjects = await Promise.all(
        ["table.c", "data.S"].map((name) => compileC(compiler, flags, join(work, name), join(work, `${name}.o`))),
      );
      const libraryObjects = libraries.flatMap(({ objects }) => objects);
      const objects = [...engineObjects, ...runtimeObjects, ...tableObjects, ...libraryObjects];
      // zig links as C, without its libc++ (parts/libcxx.cpp). Another compiler links its own C++ library.
      const [language, entryFlags] =
        otherCompiler === undefined ? ["cc", ["-Wl,-e,start_on_small_stack"]] : ["c++", []];
      const args = [language, "-target", target, ...LINKER_FLAGS, ...entryFlags, "-o", executable, ...objects];
      await run(compiler, args, { maxBuffer: 1 << 26 });
      return executable;
    };
    const hasImage = !isShell && kind !== "imageless" && otherCompiler === undefined && canMakeImage(processor);
    reportStep(hasImage ? "linking, and storing the image of a start" : "linking");
    if (hasImage) await linkWithImage(files, imagedNames, processor, link);
    else await link(files, 0);
    const output = outputPath(processor, kind, otherCompiler);
    renameSync(executable, output);
    return output;
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Returns the kinds of executables that the options of the command line select. */
function selectKinds(args) {
  if (args.includes("--shell")) return ["shell"];
  return args.includes("--checked") ? ["checked", "imageless"] : ["executable"];
}

if (process.argv[1] === import.meta.filename) {
  const args = process.argv.slice(2);
  const kinds = selectKinds(args);
  const compilerIndex = args.indexOf("--compiler");
  const [, otherCompiler] = compilerIndex === -1 ? [] : args.splice(compilerIndex, 2);
  const processors = args.filter((argument) => !argument.startsWith("--"));
  await runScript(async () => {
    for (const processor of processors.length > 0 ? processors : [process.arch]) {
      for (const kind of kinds) process.stdout.write(`${await buildRuntime({ processor, kind, otherCompiler })}\n`);
    }
  });
}
