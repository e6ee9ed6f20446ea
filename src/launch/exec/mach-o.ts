/** Programs of macOS, by the headers of their files (mach-o/loader.h and mach-o/fat.h of XNU); pure. */
import type { Image } from "./image-kind.ts";

/** `MH_MAGIC_64` as it stands in a file, little-endian. */
const THIN = 0xcffaedfe;
/** `FAT_MAGIC` and `FAT_MAGIC_64`, big-endian: programs for several processors in one file. */
const FAT = 0xcafebabe;
const FAT_64 = 0xcafebabf;
const THIN_BYTES = 8;
const FAT_ENTRY_BYTES = 20;
const FAT_64_ENTRY_BYTES = 32;
/** Classes of Java begin as fat files do; where these have the number of processors, those have a version from 45 on. */
const MOST_PROCESSORS = 30;
/** The processors (cputype) by Node's names. */
const PROCESSORS: Readonly<Record<number, string>> = { 0x01000007: "x64", 0x0100000c: "arm64", 7: "x86", 12: "arm" };

/** @returns how macOS executes the file; undefined where it is no Mach-O file */
export function classifyMachO(head: Buffer, arch: string): Image | undefined {
  const machines = machinesOf(head);
  if (machines.length === 0) return undefined;
  if (machines.includes(arch)) return { kind: "native" };
  // Rosetta executes these where it is installed.
  if (arch === "arm64" && machines.includes("x64")) return { kind: "possible" };
  return { kind: "foreign", machine: machines.join(", ") };
}

function machinesOf(head: Buffer): readonly string[] {
  if (head.length < THIN_BYTES) return [];
  const magic = head.readUInt32BE(0);
  if (magic === THIN) return [nameOf(head.readUInt32LE(4))];
  if (magic !== FAT && magic !== FAT_64) return [];
  const count = head.readUInt32BE(4);
  const size = magic === FAT ? FAT_ENTRY_BYTES : FAT_64_ENTRY_BYTES;
  if (count > MOST_PROCESSORS || head.length < THIN_BYTES + count * size) return [];
  return Array.from({ length: count }, (_, index) => nameOf(head.readUInt32BE(THIN_BYTES + index * size)));
}

function nameOf(processor: number): string {
  return PROCESSORS[processor] ?? `machine ${processor}`;
}
