import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { attempt } from "../../system/errors.ts";

export type Image =
  /** An ELF file for this machine with its dynamic loader, if any; or a script for one. */
  | { readonly kind: "native" }
  /** The interpreter of a script or the dynamic loader of an ELF file does not exist. */
  | { readonly kind: "dangling"; readonly missing: string }
  /** An ELF file that this processor cannot execute, or that is damaged: an emulator may, a shell cannot. */
  | { readonly kind: "foreign"; readonly machine?: string }
  /** An ELF file, or a script for one, that the system may not support. */
  | { readonly kind: "possible" }
  /** Anything else: a script without `#!`, an unreadable file. */
  | { readonly kind: "unknown" };

const ELF = 0x7f454c46;
/** The bytes of a file that are read. */
const HEAD_BYTES = 4096;
/** The size of a program header (Elf64_Phdr): the kernel refuses others. */
const ENTRY_BYTES = 56;
/** The limit on nested interpreters (as in Linux). */
const MAX_SCRIPTS = 5;

/** Classifies a file by its head. Throws nothing: an unreadable file is `unknown`. */
export function inspectImage(path: string, scripts = 0): Image {
  return attempt(() => classify(readHead(path), scripts)) ?? { kind: "unknown" };
}

function classify(head: Buffer, scripts: number): Image {
  if (head.length >= 4 && head.readUInt32BE(0) === ELF) return classifyElf(head);
  return head.toString("latin1", 0, 2) === "#!" ? classifyScript(head, scripts) : { kind: "unknown" };
}

export function readHead(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function classifyScript(head: Buffer, scripts: number): Image {
  // Linux reads 256 bytes.
  const line = /^#![ \t]*([^\n\0]*)\n/.exec(head.toString("utf8", 0, 256))?.[1];
  const interpreter = /^[^ \t]+/.exec(line ?? "")?.[0];
  if (interpreter === undefined) return { kind: "unknown" };
  if (!exists(interpreter)) return { kind: "dangling", missing: interpreter };
  const isLoadable = scripts + 1 < MAX_SCRIPTS && inspectImage(interpreter, scripts + 1).kind === "native";
  return { kind: isLoadable ? "native" : "possible" };
}

/** Node's names for machines of ELF files (e_machine). */
const MACHINE_NAMES: Readonly<Record<number, string>> = {
  3: "x86",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};
/** Other machines whose programs the kernel may execute. */
const COMPATIBLE: Readonly<Record<string, readonly string[]>> = { x64: ["x86"], arm64: ["arm"], ppc64: ["ppc"] };

function classifyElf(head: Buffer): Image {
  if (head.length < 64) return { kind: "foreign" };
  const is64LittleEndian = head[4] === 2 && head[5] === 1;
  const [type, machine] =
    head[5] === 2 ? [head.readUInt16BE(16), head.readUInt16BE(18)] : [head.readUInt16LE(16), head.readUInt16LE(18)];
  const name = MACHINE_NAMES[machine] ?? `machine ${machine}`;
  const isCompatible = COMPATIBLE[process.arch]?.includes(name) === true;
  if (name !== process.arch && !isCompatible) return { kind: "foreign", machine: name };
  if (type !== 2 && type !== 3) return { kind: "foreign" };
  if (!is64LittleEndian || isCompatible) return { kind: "possible" };
  const programHeaders = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const entries = head.readUInt16LE(56);
  const isInHead = programHeaders + entries * entrySize <= head.length;
  const isTruncated = !isInHead && head.length < HEAD_BYTES;
  if (entrySize !== ENTRY_BYTES || entries === 0 || isTruncated) return { kind: "foreign" };
  if (!isInHead) return { kind: "possible" };
  for (let entry = 0; entry < entries; entry++) {
    const at = programHeaders + entry * entrySize;
    if (head.readUInt32LE(at) !== 3) continue; // PT_INTERP
    const offset = Number(head.readBigUInt64LE(at + 8));
    const size = Number(head.readBigUInt64LE(at + 32));
    if (size < 2 || offset + size > head.length) return { kind: "possible" };
    const loader = head.toString("utf8", offset, offset + size - 1);
    return exists(loader) ? { kind: "native" } : { kind: "dangling", missing: loader };
  }
  return { kind: "native" };
}

function exists(path: string): boolean {
  return attempt(() => (accessSync(path, constants.X_OK), statSync(path).isFile())) === true;
}
