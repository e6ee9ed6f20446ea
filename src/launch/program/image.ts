/**
 * Classifies the file of a program by its first bytes: an ELF file for this or for another processor, or a script. start-error.ts uses
 * this to explain a failed start, and exec/by-node.ts to avoid a start that may fail.
 */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { attempt } from "../../system/errors.ts";

export type Image =
  /** An ELF file for this machine, whose dynamic loader exists if it needs one; or a script whose interpreter is such a file. */
  | { readonly kind: "native" }
  /** The interpreter of a script or the dynamic loader of an ELF file does not exist. */
  | { readonly kind: "dangling"; readonly missing: string }
  /** An ELF file that this processor cannot execute, or that is damaged. An emulator may execute it; a shell cannot. */
  | { readonly kind: "foreign"; readonly machine?: string }
  /** An ELF file that the system may or may not support, or a script whose interpreter is such a file. */
  | { readonly kind: "possible" }
  /** Any other file: a script without `#!`, or a file that cannot be read. */
  | { readonly kind: "unknown" };

/** The first four bytes of an ELF file: 0x7f, `ELF`. */
const ELF_MAGIC = 0x7f454c46;
/** The length of the part of a file that is read. It contains the headers of nearly all programs. */
const HEAD_BYTES = 4096;
/** The size of a program header (Elf64_Phdr). The kernel refuses any other size. */
const PROGRAM_HEADER_BYTES = 56;
/** The type of the program header that names the dynamic loader. */
const PT_INTERP = 3;
/** The limit of Linux on scripts whose interpreter is a script again. */
const MAX_NESTED_SCRIPTS = 5;

/** Classifies a file. Throws nothing. @param depth the number of scripts of which each has the next file as its interpreter */
export function inspectImage(path: string, depth = 0): Image {
  return attempt(() => classify(readHead(path), depth)) ?? { kind: "unknown" };
}

function classify(head: Buffer, depth: number): Image {
  if (head.length >= 4 && head.readUInt32BE(0) === ELF_MAGIC) return classifyElf(head);
  return head.toString("latin1", 0, 2) === "#!" ? classifyScript(head, depth) : { kind: "unknown" };
}

/** Reads the first bytes of a file. */
export function readHead(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Classifies a script by its first line: `#!/usr/bin/env node`. */
function classifyScript(head: Buffer, depth: number): Image {
  // Linux reads no more than 256 bytes of the line.
  const line = /^#![ \t]*([^\n\0]*)\n/.exec(head.toString("utf8", 0, 256))?.[1];
  const interpreter = /^[^ \t]+/.exec(line ?? "")?.[0];
  if (interpreter === undefined) return { kind: "unknown" };
  if (!canExecute(interpreter)) return { kind: "dangling", missing: interpreter };
  const isLoadable = depth + 1 < MAX_NESTED_SCRIPTS && inspectImage(interpreter, depth + 1).kind === "native";
  return { kind: isLoadable ? "native" : "possible" };
}

/** The names that Node.js has for processors, by the machine number of an ELF file (e_machine). */
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
/** Other processors whose programs the kernel may execute as well, by the name of this processor. */
const COMPATIBLE_MACHINES: Readonly<Record<string, readonly string[]>> = {
  x64: ["x86"],
  arm64: ["arm"],
  ppc64: ["ppc"],
};

/** Classifies an ELF file by its header (Elf64_Ehdr of elf(5)), and by the program header that names its dynamic loader. */
function classifyElf(head: Buffer): Image {
  if (head.length < 64) return { kind: "foreign" };
  const is64LittleEndian = head[4] === 2 && head[5] === 1;
  const isBigEndian = head[5] === 2;
  const type = isBigEndian ? head.readUInt16BE(16) : head.readUInt16LE(16);
  const machine = isBigEndian ? head.readUInt16BE(18) : head.readUInt16LE(18);
  const name = MACHINE_NAMES[machine] ?? `machine ${machine}`;
  const isCompatible = COMPATIBLE_MACHINES[process.arch]?.includes(name) === true;
  if (name !== process.arch && !isCompatible) return { kind: "foreign", machine: name };
  // Programs have the types 2 (ET_EXEC) and 3 (ET_DYN).
  if (type !== 2 && type !== 3) return { kind: "foreign" };
  if (!is64LittleEndian || isCompatible) return { kind: "possible" };
  return classifyByLoader(head);
}

/** Classifies an ELF file for this processor by its dynamic loader. */
function classifyByLoader(head: Buffer): Image {
  const tableOffset = Number(head.readBigUInt64LE(32));
  const entryLength = head.readUInt16LE(54);
  const entryCount = head.readUInt16LE(56);
  const isInHead = tableOffset + entryCount * entryLength <= head.length;
  const isTruncated = !isInHead && head.length < HEAD_BYTES;
  if (entryLength !== PROGRAM_HEADER_BYTES || entryCount === 0 || isTruncated) return { kind: "foreign" };
  if (!isInHead) return { kind: "possible" };
  for (let entry = 0; entry < entryCount; entry++) {
    const headerOffset = tableOffset + entry * entryLength;
    if (head.readUInt32LE(headerOffset) !== PT_INTERP) continue;
    const pathOffset = Number(head.readBigUInt64LE(headerOffset + 8));
    const pathLength = Number(head.readBigUInt64LE(headerOffset + 32));
    if (pathLength < 2 || pathOffset + pathLength > head.length) return { kind: "possible" };
    // The path ends with a NUL.
    const loader = head.toString("utf8", pathOffset, pathOffset + pathLength - 1);
    return canExecute(loader) ? { kind: "native" } : { kind: "dangling", missing: loader };
  }
  // A program without a dynamic loader is linked statically.
  return { kind: "native" };
}

/** Returns true for a file that this user may execute. */
function canExecute(path: string): boolean {
  return attempt(() => (accessSync(path, constants.X_OK), statSync(path).isFile())) === true;
}
