// Compiles the addons and the monitor for x64 and arm64. Without a compiler there is no addon, and the program works without
// it.
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

const FLAGS = [
  "-std=gnu11",
  "-Os",
  "-s",
  // An addon finds the functions of the loaded C library, so it may call only those that both libraries have. The monitor
  // calls none.
  "-nostdlib",
  "-fstack-protector-strong",
  // Its functions are glibc's alone.
  "-U_FORTIFY_SOURCE",
  "-Wconversion",
  "-Werror=conversion",
  "-Werror=sign-conversion",
  // Segments of whole pages (64 kB on arm64) would be far larger than their content.
  "-Wl,-z,noseparate-code,-z,noexecstack,--build-id=none,--hash-style=gnu",
];
/** The C library finds all functions before it makes their table read-only, for which that begins a page. */
const ADDON_FLAGS = [...FLAGS, "-shared", "-fPIC", "-Wl,-z,relro,-z,now"];
/** The monitor has no constants that are set at its start. Its guard of the stack is a variable, since it has no threads. */
const PROGRAM_FLAGS = [
  ...FLAGS,
  "-static",
  "-ffreestanding",
  "-fno-pic",
  "-no-pie",
  "-fno-asynchronous-unwind-tables",
  "-mstack-protector-guard=global",
  "-Wl,-z,norelro",
];

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

/** @returns the addons and the monitors by their files' names, and why a platform has none */
export function compileAddons(root) {
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
      put(addons, `${platform}${name}.node`, compiled(platform, ADDON_FLAGS, join(root, source)));
    put(monitors, `${platform}-monitor`, compileMonitor(root, platform));
  }
  return { addons, monitors, missing };
}

/**
 * @param platform `linux-` and the processor
 * @param source its source, another one for tests
 * @returns as `compiled`
 */
export function compileMonitor(root, platform, source = join(root, MONITOR)) {
  return compiled(platform, PROGRAM_FLAGS, source);
}

/** @returns the bytes, or the problem: there is no such compiler, or it lacks the C library's headers, say */
function compiled(platform, flags, source) {
  const compiler = compilerFor(platform);
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-addon-"));
  try {
    const output = join(folder, "output");
    const args = [...flags, "-isystem", headers, "-o", output, source];
    const { error, status, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
    if (error !== undefined) return { problem: `there is no ${compiler}` };
    return status === 0 ? { bytes: readFileSync(output) } : { problem: `${compiler} failed: ${stderr.trim()}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
