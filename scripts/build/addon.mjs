// Compiles the addons and the monitor for x64 and arm64, by one of two compilers:
//
// - `cc`, and a cross compiler for the other processor, for a build by a developer. If one is missing, the package has no addon
//   for that processor, and works without it.
// - zig, whose version runtime/build/parts/versions.mjs pins, for a release and for the executables: it makes the same bytes on
//   every machine, so that anyone can compare them (docs/verify.md).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { include_dir as headers } from "node-api-headers";

/** Node's names of the processors, with the cross compiler for each. */
const CROSS_COMPILERS = {
  x64: "x86_64-linux-gnu-gcc",
  arm64: "aarch64-linux-gnu-gcc",
};

/** The sources, by the suffix of their files' names. */
const SOURCES = {
  "": "native/system.c",
  "-masking": "native/masking/masking-addon.c",
  "-monitor": "native/monitor/monitor-addon.c",
};

/** The monitor, a program: without a library, so that one file serves both C libraries. */
const MONITOR = "native/monitor/monitor.c";

/** zig compiles for a target, whose version of glibc only selects the headers: nothing is linked to a C library. */
const ZIG_PROCESSORS = { x64: "x86_64", arm64: "aarch64" };

const COMPILER_FLAGS = [
  "-std=gnu11",
  "-Os",
  "-fstack-protector-strong",
  // Its functions are glibc's alone.
  "-U_FORTIFY_SOURCE",
  "-Wconversion",
  "-Werror=conversion",
  "-Werror=sign-conversion",
];
/** Segments of whole pages (64 kB on arm64) would be far larger than their content. */
const LINKER_FLAGS = ["-s", "-z", "noseparate-code", "-z", "noexecstack", "--build-id=none", "--hash-style=gnu"];

/** The flags for one of the two kinds of files, and the C library of zig whose headers it includes. */
const ADDON = {
  compilerFlags: ["-fPIC"],
  // The C library finds all functions before it makes their table read-only, for which that begins a page.
  linkerFlags: ["-z", "relro", "-z", "now"],
  form: ["-shared"],
  library: "gnu.2.17",
};
const PROGRAM = {
  compilerFlags: [
    "-ffreestanding",
    "-fno-pic",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    // The guard of the stack is a variable, since the monitor has no threads.
    "-mstack-protector-guard=global",
  ],
  // The monitor has no constants that are set at its start.
  linkerFlags: ["-z", "norelro"],
  form: ["-static", "-no-pie"],
  library: "musl",
};

/** @param platform `linux-` and the processor. @returns the name of a C compiler for it */
function compilerFor(platform) {
  const processor = platform.slice("linux-".length);
  return platform === `${process.platform}-${process.arch}` ? "cc" : CROSS_COMPILERS[processor];
}

/** @returns the names of the files that a build has if it has every compiler */
export function addonFiles() {
  return Object.keys(CROSS_COMPILERS).flatMap((processor) => [
    ...Object.keys(SOURCES).map((name) => `linux-${processor}${name}.node`),
    `linux-${processor}-monitor`,
  ]);
}

/** @returns the names of the C compilers that a build calls on this machine */
export function compilers() {
  return Object.keys(CROSS_COMPILERS).map((processor) => compilerFor(`linux-${processor}`));
}

/**
 * @param root the repository
 * @param zig the path of zig; without it, the compilers of the system are used
 * @returns the addons and the monitors by their files' names, and why a platform has none
 */
export function compileAddons(root, zig) {
  const addons = new Map();
  const monitors = new Map();
  const missing = new Map();
  for (const processor of Object.keys(CROSS_COMPILERS)) {
    const platform = `linux-${processor}`;
    const put = (files, name, { bytes, problem }) => {
      if (problem === undefined) files.set(name, bytes);
      else missing.set(platform, problem);
    };
    for (const [name, source] of Object.entries(SOURCES))
      put(addons, `${platform}${name}.node`, compile(platform, ADDON, join(root, source), zig));
    put(monitors, `${platform}-monitor`, compileMonitor(root, platform, zig));
  }
  return { addons, monitors, missing };
}

/**
 * @param platform `linux-` and the processor
 * @param zig as in `compileAddons`
 * @param source the monitor's source, or that of a test
 * @returns as `compile`
 */
export function compileMonitor(root, platform, zig, source = join(root, MONITOR)) {
  return compile(platform, PROGRAM, source, zig);
}

/** @returns the bytes, or the problem, such as a compiler or headers of the C library that are missing */
function compile(platform, kind, source, zig) {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-addon-"));
  const [object, output] = [join(folder, "object.o"), join(folder, "output")];
  const commands =
    zig === undefined
      ? commandsOfSystem(compilerFor(platform), kind, source, object, output)
      : commandsOfZig(zig, platform, kind, source, object, output);
  try {
    for (const [command, ...args] of commands) {
      const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
      if (error !== undefined) return { problem: `there is no ${command}` };
      if (status !== 0) return { problem: `${command} failed: ${stderr.trim()}` };
    }
    return { bytes: readFileSync(output) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function commandsOfSystem(compiler, kind, source, object, output) {
  // An addon finds the functions of the loaded C library, so it may call only those that both C libraries have. The monitor calls
  // none.
  const linkerFlags = [...LINKER_FLAGS, ...kind.linkerFlags].map((flag) => `-Wl,${flag}`);
  return [
    [compiler, ...COMPILER_FLAGS, ...kind.compilerFlags, "-isystem", headers, "-c", "-o", object, source],
    [compiler, "-nostdlib", ...kind.form, ...linkerFlags, "-o", output, object],
  ];
}

/** zig's own way of linking refuses a guard of the stack without a C library, so its linker is called. */
function commandsOfZig(zig, platform, kind, source, object, output) {
  const target = `${ZIG_PROCESSORS[platform.slice("linux-".length)]}-linux-${kind.library}`;
  const flags = [...COMPILER_FLAGS, ...kind.compilerFlags];
  return [
    [zig, "cc", "-target", target, ...flags, "-isystem", headers, "-c", "-o", object, source],
    [zig, "ld.lld", ...kind.form, ...LINKER_FLAGS, ...kind.linkerFlags, "-o", output, object],
  ];
}
