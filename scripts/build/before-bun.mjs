// Puts src/launch/standalone/before-bun.c in front of an executable of Bun for Linux: as a segment of its own, at which
// the program begins. Nothing of Bun's is overwritten but two fields of the file's own tables, which ELF defines.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compilerFor } from "./addon.mjs";

const SOURCE = "src/launch/standalone/before-bun.c";
/** One piece, whose first byte is where it begins. */
const SECTIONS = ".all : { *(.entry) *(.text*) *(.rodata*) } /DISCARD/ : { *(*) }";
const FLAGS = ["-static", "-nostdlib", "-ffreestanding", "-fno-builtin", "-fno-pie", "-no-pie", "-std=gnu11", "-Os"];
const MORE_FLAGS = ["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns"];
/** What before-bun.c needs to know of Bun: where `environ` is, and by what address it calls each of the functions. */
const USED = ["environ", "getcwd", "getrlimit", "setrlimit"];
/** The largest pages that either processor has. */
const PAGE = 0x10000;
const [PT_LOAD, PT_DYNAMIC, PT_NOTE] = [1, 2, 4];
const [DT_PLTRELSZ, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_JMPREL] = [2, 5, 6, 7, 8, 23];
const READ_AND_EXECUTE = 5;

/**
 * @param root the repository
 * @param from an executable of Bun
 * @returns its bytes with ours in front
 * @throws where the executable is not laid out as expected: a new version of Bun
 */
export function withBeforeBun(root, from, processor) {
  const bytes = readFileSync(from);
  const segments = segmentsOf(bytes);
  const note = segments.findLast(({ type }) => type === PT_NOTE);
  const loaded = segments.filter(({ type }) => type === PT_LOAD);
  if (bytes.readUInt16LE(16) !== 2) throw new Error(`${from} has no fixed addresses`);
  // Segments in memory are in the order of their addresses: ours is the last.
  if (note === undefined || note.at < loaded.at(-1).at) throw new Error(`${from} has no note at the end`);
  const offset = roundUp(bytes.length);
  const address = BigInt(roundUp(Number(loaded.at(-1).address + loaded.at(-1).memory)) + PAGE);
  const constants = { ...addressesIn(bytes, segments), ENTRY: bytes.readBigUInt64LE(24) };
  const code = compile(root, processor, address, constants);

  bytes.writeUInt32LE(PT_LOAD, note.at);
  bytes.writeUInt32LE(READ_AND_EXECUTE, note.at + 4);
  const fields = [BigInt(offset), address, address, BigInt(code.length), BigInt(code.length), BigInt(PAGE)];
  for (const [index, field] of fields.entries()) bytes.writeBigUInt64LE(field, note.at + 8 + 8 * index);
  bytes.writeBigUInt64LE(address, 24);
  return Buffer.concat([bytes, Buffer.alloc(offset - bytes.length), code]);
}

function segmentsOf(bytes) {
  const first = Number(bytes.readBigUInt64LE(32));
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = first + index * bytes.readUInt16LE(54);
    const [offset, address, , file, memory] = [8, 16, 24, 32, 40].map((field) => bytes.readBigUInt64LE(at + field));
    return { at, type: bytes.readUInt32LE(at), offset, address, file, memory };
  });
}

/** The addresses of {@link USED}. */
function addressesIn(bytes, segments) {
  const inFile = (address) => {
    const segment = segments.find(
      (each) => each.type === PT_LOAD && address >= each.address && address < each.address + each.file,
    );
    return Number(address - segment.address + segment.offset);
  };
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  const tags = new Map();
  for (let at = Number(dynamic.offset); bytes.readBigUInt64LE(at) !== 0n; at += 16) {
    tags.set(Number(bytes.readBigUInt64LE(at)), bytes.readBigUInt64LE(at + 8));
  }
  const symbols = inFile(tags.get(DT_SYMTAB));
  const names = inFile(tags.get(DT_STRTAB));
  const found = new Map();
  for (const [table, size] of [
    [DT_RELA, DT_RELASZ],
    [DT_JMPREL, DT_PLTRELSZ],
  ]) {
    const start = inFile(tags.get(table));
    for (let at = start; at < start + Number(tags.get(size)); at += 24) {
      const symbol = symbols + 24 * bytes.readUInt32LE(at + 12);
      const name = names + bytes.readUInt32LE(symbol);
      // A variable's own address, or that of the place where a function's is.
      const value = bytes.readBigUInt64LE(symbol + 8) || bytes.readBigUInt64LE(at);
      found.set(bytes.toString("latin1", name, bytes.indexOf(0, name)), value);
    }
  }
  const missing = USED.find((name) => !found.has(name));
  if (missing !== undefined) throw new Error(`Bun does not use ${missing} of the C library`);
  return Object.fromEntries(USED.map((name) => [name.toUpperCase(), found.get(name)]));
}

/** @returns what is to stand in memory at the address */
function compile(root, processor, address, constants) {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-before-bun-"));
  try {
    const layout = join(folder, "layout");
    const output = join(folder, "code");
    writeFileSync(layout, `SECTIONS { . = 0x${address.toString(16)}; ${SECTIONS} }\n`);
    const defines = Object.entries(constants).map(([name, value]) => `-D${name}=0x${value.toString(16)}ul`);
    const link = [`-Wl,-T,${layout}`, "-Wl,--build-id=none,-z,max-page-size=4096"];
    const args = [...FLAGS, ...MORE_FLAGS, ...defines, ...link, "-o", output, join(root, SOURCE)];
    const { error, status, stderr } = spawnSync(compilerFor(`linux-${processor}`), args, { encoding: "utf8" });
    if (error !== undefined || status !== 0) throw new Error(`${SOURCE} is not compiled: ${error?.message ?? stderr}`);
    const built = readFileSync(output);
    const { offset, file } = segmentsOf(built).find(({ type, address: at }) => type === PT_LOAD && at === address);
    return built.subarray(Number(offset), Number(offset + file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function roundUp(size) {
  return Math.ceil(size / PAGE) * PAGE;
}
