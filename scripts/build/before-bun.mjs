// Puts our own code in front of an executable of Bun for Linux, as an ELF segment at which the program begins:
// src/launch/standalone/before-bun.c, and the engine for starts without Bun. Only two fields of ELF tables are overwritten.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compilerFor } from "./addon.mjs";
import { importsOf, inMemory, PT_LOAD, PT_NOTE, segmentsOf } from "./elf.mjs";
import { ENGINE_FLAGS, quickjsObjects, quickjsSources, run } from "./quickjs.mjs";

const FOLDER = "src/launch/standalone";
const BEFORE_BUN_FLAGS = [
  "-std=gnu11",
  "-Os",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-pie",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-tree-loop-distribute-patterns",
];
/** Symbols of Bun that before-bun.c uses: `environ`, and the addresses of these functions. */
const FUNCTIONS = ["getcwd", "getrlimit", "setrlimit"];
/** Functions that Bun does not import, or that no start without Bun needs. A start that calls one falls back to Bun. */
const NOT_IN_BUN = new Set(["cbrt", "dirfd", "fmod", "getpwuid_r", "lround", "modf", "round", "scalbn", "waitid"]);
/** The largest page size of both processors. */
const PAGE = 0x10000;
const READ_AND_EXECUTE = 5;

/** Begins at the first byte. Writable pages follow the read-only ones. */
const layoutAt = (address) => `SECTIONS {
  . = 0x${address.toString(16)};
  .all : { *(.entry) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(${PAGE}); }
  .state : { state_begin = .; *(.data .data.*) *(.got .got.plt) *(.bss .bss.*) *(COMMON) . = ALIGN(${PAGE}); state_end = .; }
  /DISCARD/ : { *(*) }
}
`;

/**
 * @param root the repository
 * @param from an executable of Bun
 * @param files QuickJS's bytecode by name, in the order of loading
 * @param saysWhy true if a start reports the reason of a fallback to Bun on standard error
 * @returns the executable with our code in front
 * @throws if the executable's layout is unexpected, as in a new version of Bun
 */
export function withBeforeBun(root, from, processor, files, saysWhy) {
  const bytes = readFileSync(from);
  const segments = segmentsOf(bytes);
  const note = segments.findLast(({ type }) => type === PT_NOTE);
  const last = segments.findLast(({ type }) => type === PT_LOAD);
  if (bytes.readUInt16LE(16) !== 2) throw new Error(`${from} has no fixed addresses`);
  // Segments in memory are in the order of their addresses: ours is the last.
  if (note === undefined || note.at < last.at) throw new Error(`${from} has no note at the end`);
  const offset = roundUp(bytes.length);
  const address = BigInt(roundUp(Number(last.address + last.memory)) + PAGE);
  const code = compile(
    root,
    processor,
    { address, entry: bytes.readBigUInt64LE(24), imports: importsOf(bytes) },
    files,
    saysWhy,
  );

  bytes.writeUInt32LE(PT_LOAD, note.at);
  bytes.writeUInt32LE(READ_AND_EXECUTE, note.at + 4);
  const fields = [BigInt(offset), address, address, BigInt(code.length), BigInt(code.length), BigInt(PAGE)];
  for (const [index, field] of fields.entries()) bytes.writeBigUInt64LE(field, note.at + 8 + 8 * index);
  bytes.writeBigUInt64LE(address, 24);
  return Buffer.concat([bytes, Buffer.alloc(offset - bytes.length), code]);
}

/** @returns the memory at the address */
function compile(root, processor, { address, entry, imports }, files, saysWhy) {
  const compiler = compilerFor(`linux-${processor}`);
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-before-bun-"));
  const object = (name, source, flags) => {
    const output = join(folder, `${name}.o`);
    run(compiler, [...flags, "-c", "-o", output, source]);
    return output;
  };
  const generated = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const places = { ENTRY: entry, ENVIRON: placeOf("environ", imports).variable };
    for (const name of FUNCTIONS) places[name.toUpperCase()] = placeOf(name, imports).pointer;
    const defines = Object.entries(places).map(([name, place]) => `-D${name}=0x${place.toString(16)}ul`);
    const source = (name) => join(root, FOLDER, name);
    const include = [`-I${quickjsSources(root)}`, `-I${source("without-bun")}`];
    const objects = [
      object("before-bun", source("before-bun.c"), [...BEFORE_BUN_FLAGS, ...defines]),
      object("engine", source("without-bun/engine.c"), [...ENGINE_FLAGS, ...include]),
      object("fallback", source("without-bun/fallback.c"), saysWhy ? [...ENGINE_FLAGS, "-DSAY_WHY"] : ENGINE_FLAGS),
      // The compiler would turn our calloc into a call of calloc.
      object("memory", source("without-bun/memory.c"), [...ENGINE_FLAGS, "-fno-builtin"]),
      object("files", generated("files.S", tableOf(files, generated)), []),
      ...quickjsObjects(root, compiler, processor),
    ];
    const together = join(folder, "together.o");
    run(compiler, ["-r", "-nostdlib", "-no-pie", "-o", together, ...objects]);
    const calls = undefinedIn(compiler, together).map((name) => callOf(name, imports, processor));
    const library = object("c-library", generated("c-library.S", calls.join("")), []);
    const output = join(folder, "code");
    const link = `-Wl,--build-id=none,-z,max-page-size=4096,--gc-sections,-e,_start,-T,${generated("layout", layoutAt(address))}`;
    run(compiler, ["-static", "-nostdlib", "-no-pie", link, "-o", output, ...objects, library]);
    return inMemory(readFileSync(output), address);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function placeOf(name, imports) {
  const place = imports.get(name);
  if (place === undefined) throw new Error(`Bun does not use ${name} of the C library`);
  return place;
}

/** The table of files that engine.c reads, as assembly. */
function tableOf(files, generated) {
  let table = "";
  let content = "";
  for (const [index, [name, code]] of [...files].entries()) {
    table += `.quad name_${index}, code_${index}, end_${index}\n`;
    content += `name_${index}: .asciz "${name}"\n.balign 16\n`;
    content += `code_${index}: .incbin "${generated(`file-${index}`, code)}"\nend_${index}:\n`;
  }
  const head = '.section .rodata,"a"\n.globl FILES, FILE_COUNT\n.balign 8\n';
  return `${head}FILES:\n${table}FILE_COUNT: .quad ${files.size}\n${content}`;
}

/** Returns the symbols of the C library that an object file uses. */
function undefinedIn(compiler, file) {
  const nm = execFileSync(compiler, ["-print-prog-name=nm"], { encoding: "utf8" }).trim();
  const listed = execFileSync(nm, ["-P", "--undefined-only", file], { encoding: "utf8" }).trim().split("\n");
  const symbols = listed.map((line) => line.split(" ")).filter(([, type]) => type === "U");
  const ours = new Set(["state_begin", "state_end", "_GLOBAL_OFFSET_TABLE_"]);
  return symbols.map(([name]) => name).filter((name) => !ours.has(name));
}

/** Returns assembly that calls a function of the C library by the address that Bun imports. */
function callOf(name, imports, processor) {
  const head = `.section .text.${name},"ax"\n.globl ${name}\n${name}:`;
  const isArm = processor === "arm64";
  if (NOT_IN_BUN.has(name)) {
    const leave = isArm ? "adr x0, 1f\nb fall_back" : "lea 1f(%rip), %rdi\njmp fall_back";
    return `${head} ${leave}\n1: .asciz "${name}"\n.balign 4\n`;
  }
  const { pointer } = placeOf(name, imports);
  if (!isArm) return `${head} jmp *0x${pointer.toString(16)}\n`;
  // The loader expects the address in x16 at the first call.
  const parts = [0n, 16n, 32n].map((shift) => (pointer >> shift) & 0xffffn);
  const moves = parts.map((part, index) => `mov${index === 0 ? "z" : "k"} x16, #${part}, lsl #${16 * index}`);
  return `${head} ${moves.join("\n")}\nldr x17, [x16]\nbr x17\n`;
}

function roundUp(size) {
  return Math.ceil(size / PAGE) * PAGE;
}
