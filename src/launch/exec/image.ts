import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";

/** How the kernel will execute a file. */
export type Image =
  /** An ELF file for this machine whose dynamic loader, if it names one, is there; or a Mach-O file. */
  | { readonly kind: "native" }
  /** A `#!` script: the interpreter and its one optional argument. */
  | { readonly kind: "script"; readonly interpreter: string; readonly argument?: string }
  /** The interpreter of a script or the dynamic loader of an ELF file does not exist. */
  | { readonly kind: "dangling"; readonly missing: string }
  /** Something else: a script without `#!`, a program of another machine, a file without permission to read. */
  | { readonly kind: "unknown" };

/** Reads the start of an executable file. Throws nothing: what cannot be read is `unknown`. */
export function inspectImage(path: string): Image {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return { kind: "unknown" };
  }
  try {
    const head = Buffer.alloc(4096);
    return classify(head.subarray(0, readSync(descriptor, head, 0, head.length, 0)));
  } catch {
    return { kind: "unknown" };
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a script's interpreter can be executed, through at most four further scripts (as in Linux). */
export function isLoadable(image: Image, depth = 0): boolean {
  if (image.kind === "native") return true;
  return image.kind === "script" && depth < 4 && isLoadable(inspectImage(image.interpreter), depth + 1);
}

function classify(head: Buffer): Image {
  if (head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46) return classifyElf(head);
  if (process.platform === "darwin" && head.length >= 4) {
    const magic = head.readUInt32BE(0);
    if (magic === 0xcffaedfe || magic === 0xcafebabe) return { kind: "native" };
  }
  if (head.toString("latin1", 0, 2) === "#!") return classifyScript(head);
  return { kind: "unknown" };
}

function classifyScript(head: Buffer): Image {
  // Linux reads 256 bytes; a first line that does not end there may be cut.
  const line = /^#![ \t]*([^\n\0]*)\n/.exec(head.toString("utf8", 0, 256))?.[1];
  const [, interpreter, argument] = /^([^ \t]+)[ \t]*([^]*?)[ \t]*$/.exec(line ?? "") ?? [];
  if (interpreter === undefined) return { kind: "unknown" };
  if (!exists(interpreter)) return { kind: "dangling", missing: interpreter };
  return { kind: "script", interpreter, ...(argument !== undefined && argument !== "" && { argument }) };
}

/** The machine of an ELF file (e_machine) by Node's name of the architecture, for 64-bit little-endian ones. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183, riscv64: 243, loong64: 258 };

function classifyElf(head: Buffer): Image {
  const is64LittleEndian = head[4] === 2 && head[5] === 1;
  const type = head.readUInt16LE(16);
  if (!is64LittleEndian || head.readUInt16LE(18) !== MACHINES[process.arch] || (type !== 2 && type !== 3)) {
    return { kind: "unknown" };
  }
  const programHeaders = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const entries = head.readUInt16LE(56);
  if (programHeaders + entries * entrySize > head.length) return { kind: "unknown" };
  for (let entry = 0; entry < entries; entry++) {
    const at = programHeaders + entry * entrySize;
    if (head.readUInt32LE(at) !== 3) continue; // PT_INTERP
    const offset = Number(head.readBigUInt64LE(at + 8));
    const size = Number(head.readBigUInt64LE(at + 32));
    if (size < 2 || offset + size > head.length) return { kind: "unknown" };
    const loader = head.toString("utf8", offset, offset + size - 1);
    return exists(loader) ? { kind: "native" } : { kind: "dangling", missing: loader };
  }
  return { kind: "native" };
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
