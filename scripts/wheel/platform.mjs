// Returns the systems of an executable as tags of Python packages: PEP 600 (manylinux), PEP 656 (musllinux), and the tags of macOS
// and Windows.
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";

const PROCESSORS = { x64: "x86_64", arm64: "aarch64" };

/** @param target `linux-x64`, as scripts/standalone.mjs calls it. @returns one tag or more, with dots between them (PEP 425) */
export function platformTag(target, executable) {
  const [system, processor] = target.split("-");
  switch (system) {
    case "linux":
      return linuxTags(PROCESSORS[processor], executable);
    case "darwin":
      return `macosx_${leastMacOs(executable)}_${processor === "arm64" ? "arm64" : "x86_64"}`;
    case "win32":
      return processor === "arm64" ? "win_arm64" : "win_amd64";
    default:
      throw new Error(`no tag for ${target}`);
  }
}

/** One file for both C libraries, since it needs neither. The names are the oldest that installers of today know. */
function linuxTags(processor, executable) {
  const options = ["--dynamic", "--program-headers", "--wide", executable];
  const headers = execFileSync("readelf", options, { encoding: "utf8" });
  if (/\(NEEDED\)|^ *INTERP/m.test(headers)) throw new Error(`${executable} is not static`);
  const systems = ["manylinux_2_17", "manylinux2014", "musllinux_1_1"];
  return systems.map((name) => `${name}_${processor}`).join(".");
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
