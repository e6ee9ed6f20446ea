import { closeSync, openSync, readSync } from "node:fs";
import { ELF, ELF_ARM64, ELF_X64 } from "../exec/image-kind.ts";

/** By Node's names of the processors. */
const MACHINES: Readonly<Record<string, number>> = { x64: ELF_X64, arm64: ELF_ARM64 };

/** Whether the file is an ELF file other than a program for this processor. It reads 20 bytes of each program. */
export function mayBeForeign(path: string): boolean {
  if (process.platform !== "linux") return false;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const head = Buffer.alloc(20);
    readSync(descriptor, head, 0, head.length, 0);
    const type = head.readUInt16LE(16);
    const isNative = (type === 2 || type === 3) && head.readUInt16LE(18) === MACHINES[process.arch];
    return head.readUInt32BE(0) === ELF && !isNative;
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
