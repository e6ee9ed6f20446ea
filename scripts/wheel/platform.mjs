// Reads the systems of an executable from the executable itself, as tags of Python packages: PEP 600 (manylinux), PEP 656
// (musllinux), and the tags of macOS and Windows.
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";

const PROCESSORS = { x64: "x86_64", arm64: "aarch64" };

/** Libraries of glibc: a manylinux wheel may need no others (PEP 600). */
const OF_GLIBC = /^(?:lib(?:c|m|dl|pthread|rt)|ld-linux-[\w-]+)\.so\.\d+$/;
/** The musl executables need these two of GCC: Alpine's package libstdc++ has both. */
const OF_MUSL = /^(?:libc\.musl-\w+\.so\.1|libstdc\+\+\.so\.6|libgcc_s\.so\.1)$/;
/** The musl of Alpine 3.13 and later, for which Bun is built. */
const MUSL = "1_2";

/** @param target `linux-x64-musl`, as scripts/standalone.mjs calls it */
export function platformTag(target, executable) {
  const [system, processor, libc] = target.split("-");
  switch (system) {
    case "linux":
      return linuxTag(PROCESSORS[processor], libc === "musl", executable);
    case "darwin":
      return `macosx_${leastMacOs(executable)}_${processor === "arm64" ? "arm64" : "x86_64"}`;
    case "win32":
      return processor === "arm64" ? "win_arm64" : "win_amd64";
    default:
      throw new Error(`no tag for ${target}`);
  }
}

function linuxTag(processor, isMusl, executable) {
  const needed = Array.from(readelf("--dynamic", executable).matchAll(/\(NEEDED\).*\[(.+)\]/g), ([, name]) => name);
  const foreign = needed.filter((name) => !(isMusl ? OF_MUSL : OF_GLIBC).test(name));
  if (needed.length === 0 || foreign.length > 0) {
    throw new Error(`${executable} needs ${foreign.join(", ") || "nothing, which it cannot"}`);
  }
  if (isMusl) return `musllinux_${MUSL}_${processor}`;
  const versions = readelf("--version-info", executable).matchAll(/\bGLIBC_2\.(\d+)/g);
  const newest = Math.max(...Array.from(versions, ([, minor]) => Number(minor)));
  return `manylinux_2_${newest}_${processor}`;
}

function readelf(what, executable) {
  return execFileSync("readelf", [what, "--wide", executable], { encoding: "utf8", maxBuffer: 1 << 26 });
}

const MACH_O_64 = 0xfe_ed_fa_cf;
const LC_VERSION_MIN_MACOSX = 0x24;
const LC_BUILD_VERSION = 0x32;

/** Returns the oldest macOS from its load command (Apple's mach-o/loader.h): `13_0`. */
function leastMacOs(executable) {
  const head = Buffer.alloc(64 * 1024);
  const descriptor = openSync(executable, "r");
  readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  if (head.readUInt32LE(0) !== MACH_O_64) throw new Error(`${executable} is no Mach-O file of 64 bits`);
  let at = 32;
  for (let left = head.readUInt32LE(16); left > 0; left -= 1) {
    const command = head.readUInt32LE(at);
    if (command === LC_VERSION_MIN_MACOSX || command === LC_BUILD_VERSION) {
      const version = head.readUInt32LE(at + (command === LC_BUILD_VERSION ? 12 : 8));
      // Since macOS 11 pip uses no minor versions.
      const major = version >>> 16;
      return `${major}_${major >= 11 ? 0 : (version >>> 8) & 0xff}`;
    }
    at += head.readUInt32LE(at + 4);
  }
  throw new Error(`${executable} does not say which macOS it needs`);
}
