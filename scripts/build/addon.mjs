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
  "": "src/system/addon/addon.c",
  "-redact": "src/launch/redact/addon.c",
  "-monitor": "src/launch/monitor/addon.c",
};

/** The monitor, a program: without a library, so that one file serves both C libraries. */
const MONITOR = "src/launch/monitor/monitor.c";

const FLAGS = [
  "-std=gnu11",
  "-Os",
  "-s",
  // An addon finds the functions of the loaded C library, so it may call only those that both libraries have. The monitor
  // calls none.
  "-nostdlib",
  "-fno-stack-protector",
  "-U_FORTIFY_SOURCE",
  // Segments of whole pages (64 kB on arm64) would be far larger than their content.
  "-Wl,-z,noseparate-code,-z,norelro,-z,noexecstack,--build-id=none,--hash-style=gnu",
];
const ADDON_FLAGS = [...FLAGS, "-shared", "-fPIC"];
const PROGRAM_FLAGS = [...FLAGS, "-static", "-ffreestanding", "-fno-pic", "-no-pie", "-fno-asynchronous-unwind-tables"];

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
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-addon-"));
  try {
    for (const processor of Object.keys(CROSS_COMPILERS)) {
      const platform = `linux-${processor}`;
      const compiler = compilerFor(platform);
      const put = (files, name, source, flags) => {
        const output = join(folder, name);
        const problem = compile(compiler, flags, join(root, source), output);
        if (problem === undefined) files.set(name, readFileSync(output));
        else missing.set(platform, problem);
      };
      for (const [name, source] of Object.entries(SOURCES)) put(addons, `${platform}${name}.node`, source, ADDON_FLAGS);
      put(monitors, `${platform}-monitor`, MONITOR, PROGRAM_FLAGS);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { addons, monitors, missing };
}

/** @returns why it was not compiled: there is no such compiler, or it lacks the C library's headers, say */
function compile(compiler, flags, source, output) {
  const args = [...flags, "-isystem", headers, "-o", output, source];
  const { error, status, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
  if (error !== undefined) return `there is no ${compiler}`;
  return status === 0 ? undefined : `${compiler} failed: ${stderr.trim()}`;
}
