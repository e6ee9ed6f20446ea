// Builds the executable for Linux: QuickJS, the runtime in src/runtime/, and the package's bundle as bytecode, in one static file.
// `node scripts/build/runtime.mjs [--shell] [x64|arm64 …]` writes .cache/runtime/sophia-run-linux-PROCESSOR, or .cache/runtime/shell,
// which runs the script of its first argument, for tests. `--compiler COMMAND` takes another compiler for everything but AWS-LC, and
// writes .cache/runtime/other-shell.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { compileAddons } from "./addon.mjs";
import { bundle } from "./bundle.mjs";
import { partsFor } from "./parts/parts.mjs";
import { streamAliases } from "./parts/streams.mjs";
import { zig } from "./parts/zig.mjs";
import { quickjsBytecode, quickjsObjects, quickjsSources } from "./quickjs.mjs";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".cache", "runtime");
const native = join(root, "src/runtime/native");
const run = promisify(execFile);

const ZIG_TARGETS = { x64: "x86_64-linux-musl", arm64: "aarch64-linux-musl" };
/** Addons of the package by the name of the function that fills each. */
const ADDONS = {
  fill_system_addon: "src/system/addon/addon.c",
  fill_redact_addon: "src/launch/redact/addon.c",
  fill_monitor_addon: "src/launch/monitor/addon.c",
};
const FLAGS = [
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-DNDEBUG",
  "-O2",
  "-g0",
  "-fno-sanitize=all",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-ffunction-sections",
  "-fdata-sections",
];

/** @returns the object file */
async function compile(compiler, args, source, output) {
  await run(compiler, ["cc", ...args, "-c", source, "-o", output], { maxBuffer: 1 << 26 });
  return output;
}

/** Runs tasks on all processors. */
async function all(tasks) {
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

const RUNTIME_NAMES = "runtime-[name].cjs";

/** Returns rolldown's chunks of the runtime, for a bundle whose entry has this name. */
export async function bundleRuntime(program) {
  const modules = readdirSync(join(root, "src/runtime/modules")).filter((name) => name.endsWith(".ts"));
  const input = Object.fromEntries(modules.map((name) => [basename(name, ".ts"), `src/runtime/modules/${name}`]));
  const build = await rolldown({
    cwd: root,
    input: { host: "src/runtime/host.ts", ...input },
    preserveEntrySignatures: "exports-only",
    resolve: { alias: streamAliases(root) },
    transform: {
      target: "es2023",
      define: program === undefined ? {} : { SOPHIA_RUN_PROGRAM: JSON.stringify(program) },
    },
  });
  const { output } = await build.generate({
    format: "cjs",
    exports: "named",
    strict: true,
    minify: true,
    comments: false,
    dynamicImportInCjs: false,
    externalLiveBindings: false,
    entryFileNames: RUNTIME_NAMES,
    chunkFileNames: "runtime-chunk-[name]-[hash].cjs",
  });
  await build.close();
  return output;
}

/** Returns the runtime's scripts by name, as functions. */
async function runtimeScripts(program) {
  return (await bundleRuntime(program)).map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,NATIVE){${asAscii(code)}\n})`,
  ]);
}

function asAscii(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
  native.require("./runtime-host.cjs");
})`;

async function bytecode(compiler, isShell) {
  const chunks = isShell
    ? []
    : await bundle({
        "import.meta.url": JSON.stringify("file:///sophia-run.js"),
        SOPHIA_RUN_STANDALONE: "false",
      });
  const program = chunks.find(({ isEntry }) => isEntry);
  const scripts = chunks.map(({ fileName, code }) => [
    `./${fileName}`,
    `(function(exports,require,__dirname,__filename,SOPHIA_RUN_LOADER){${code}\n})`,
  ]);
  const runtime = await runtimeScripts(program && `./${program.fileName}`);
  const target = ZIG_TARGETS[process.arch];
  const options = ["-target", target, ...FLAGS];
  const objects = quickjsObjects(root, compiler, options, join(folder, target));
  return quickjsBytecode(root, compiler, options, objects, [["boot", BOOT], ...runtime, ...scripts]);
}

/** Writes the table of files for main.c. */
function writeTable(work, files, monitor) {
  const names = Array.from(files.keys());
  const parts = [...files.values(), monitor];
  for (const [index, bytes] of parts.entries()) writeFileSync(join(work, `file-${index}`), bytes);
  const assembly = parts.map((_, index) => {
    const path = JSON.stringify(join(work, `file-${index}`));
    return `.balign 16\n.globl file_${index}, file_${index}_end\nfile_${index}: .incbin ${path}\nfile_${index}_end: .byte 0\n`;
  });
  writeFileSync(join(work, "data.S"), `.section .rodata\n${assembly.join("")}.section .note.GNU-stack,"",%progbits\n`);
  const declared = parts.map((_, index) => `extern const uint8_t file_${index}[], file_${index}_end[];\n`);
  const entries = names.map((name, index) => `  {${JSON.stringify(name)}, file_${index}, file_${index}_end},\n`);
  const last = parts.length - 1;
  writeFileSync(
    join(work, "table.c"),
    `#include "files.h"\n${declared.join("")}const struct file FILES[] = {\n${entries.join("")}};\n` +
      `const size_t FILE_COUNT = ${names.length};\nconst struct file MONITOR = {"monitor", file_${last}, file_${last}_end};\n`,
  );
}

/** @returns the path of the executable */
export async function buildRuntime(processor, isShell, otherCompiler) {
  const { compiler: usual } = zig(root);
  const compiler = otherCompiler ?? usual;
  const target = ZIG_TARGETS[processor];
  const work = join(folder, `${target}${isShell ? "-shell" : ""}-${process.pid}`);
  const kept = join(folder, otherCompiler === undefined ? target : "other");
  mkdirSync(work, { recursive: true });
  mkdirSync(kept, { recursive: true });
  try {
    const quickjs = quickjsSources(root);
    const parts = await partsFor(root, processor, target, usual, otherCompiler);
    const { monitors } = compileAddons(root);
    writeTable(work, await bytecode(usual, isShell), monitors.get(`linux-${processor}-monitor`));
    const base = ["-target", target, ...FLAGS, `-I${quickjs}`, `-I${native}`, ...parts.flatMap(({ flags }) => flags)];
    const engine = quickjsObjects(root, compiler, ["-target", target, ...FLAGS], kept);
    const own = readdirSync(native).filter((name) => name.endsWith(".c"));
    const shell = isShell ? ["-DSHELL"] : [];
    const sources = [
      ...own.map((name) => [[...shell], join(native, name)]),
      ...Object.entries(ADDONS).map(([fill, path]) => [[`-DADDON=${fill}`, "-DSOPHIA_RUN_RUNTIME"], join(root, path)]),
      [[], join(work, "table.c")],
      [[], join(work, "data.S")],
    ];
    const objects = await all(
      sources.map(
        ([flags, source], index) =>
          () =>
            compile(compiler, [...base, ...flags], source, join(work, `${index}.o`)),
      ),
    );
    const output = join(folder, `${otherCompiler === undefined ? "" : "other-"}${isShell ? "shell" : `sophia-run-linux-${processor}`}`);
    const link = ["-static", "-s", "-Wl,--gc-sections", "-Wl,-z,noexecstack", "-Wl,--build-id=none"];
    await run(
      compiler,
      [
        "c++",
        "-target",
        target,
        ...link,
        "-o",
        `${output}.${process.pid}`,
        ...engine,
        ...objects,
        ...parts.flatMap((part) => part.objects),
      ],
      { maxBuffer: 1 << 26 },
    );
    renameSync(`${output}.${process.pid}`, output);
    return output;
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const words = process.argv.slice(2);
  const isShell = words.includes("--shell");
  const option = words.indexOf("--compiler");
  const [, compiler] = option === -1 ? [] : words.splice(option, 2);
  const processors = words.filter((word) => word !== "--shell");
  for (const processor of processors.length > 0 ? processors : [process.arch]) {
    process.stdout.write(`${await buildRuntime(processor, isShell, compiler)}\n`);
  }
}
