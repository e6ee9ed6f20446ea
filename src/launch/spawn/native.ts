import { closeSync, openSync, readSync } from "node:fs";

/** The machines of ELF files (e_machine), by Node's names of the processors that have an addon. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

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
    return head.readUInt32BE(0) === 0x7f454c46 && !isNative;
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
