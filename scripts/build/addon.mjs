// Compiles the addons and the monitor for the two processors that most Linux machines have. It needs nothing but a compiler:
// without one there is no addon, and the program does what it can without.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { include_dir as headers } from "node-api-headers";

/** Node's names of the processors, and what compiles for each elsewhere. */
const CROSS_COMPILERS = {
  x64: "x86_64-linux-gnu-gcc",
  arm64: "aarch64-linux-gnu-gcc",
};

/** The sources, by what their files' names have behind the platform's. */
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
  // For an addon the functions of either C library are there when it is loaded; none that only one of them has may be
  // called. The monitor calls none.
  "-nostdlib",
  "-fno-stack-protector",
  "-U_FORTIFY_SOURCE",
  // Segments of whole pages, of 64 kB for arm64, would be many times what is in them.
  "-Wl,-z,noseparate-code,-z,norelro,-z,noexecstack,--build-id=none,--hash-style=gnu",
];
const ADDON_FLAGS = [...FLAGS, "-shared", "-fPIC"];
const PROGRAM_FLAGS = [...FLAGS, "-static", "-ffreestanding", "-fno-pic", "-no-pie", "-fno-asynchronous-unwind-tables"];

/** @param platform `linux-` and the processor. @returns the name of a C compiler for it */
export function compilerFor(platform) {
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
