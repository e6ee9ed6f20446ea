// Reads ELF files for 64-bit little-endian processors (System V ABI).

export const [PT_LOAD, PT_DYNAMIC, PT_NOTE] = [1, 2, 4];
const [DT_PLTRELSZ, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_JMPREL] = [2, 5, 6, 7, 8, 23];

/**
 * Returns the program headers, with their offsets in the file.
 *
 * @param {Buffer} bytes
 */
export function segmentsOf(bytes) {
  const first = Number(bytes.readBigUInt64LE(32));
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = first + index * bytes.readUInt16LE(54);
    const [offset, address, , file, memory] = [8, 16, 24, 32, 40].map((field) => bytes.readBigUInt64LE(at + field));
    return { at, type: bytes.readUInt32LE(at), offset, address, file, memory };
  });
}

/**
 * Returns a program's imports by name: the address of a variable in its memory, and the place of the address of a function (or
 * of a variable that is not in its memory).
 */
export function importsOf(bytes) {
  const segments = segmentsOf(bytes);
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
      const place = { variable: bytes.readBigUInt64LE(symbol + 8), pointer: bytes.readBigUInt64LE(at) };
      found.set(bytes.toString("latin1", name, bytes.indexOf(0, name)), place);
    }
  }
  return found;
}

/**
 * Returns the bytes of a program in memory, from an address on.
 *
 * @param {Buffer} bytes
 * @param {bigint} address
 */
export function inMemory(bytes, address) {
  const loaded = segmentsOf(bytes).filter(({ type, memory }) => type === PT_LOAD && memory > 0n);
  const ends = loaded.map((each) => Number(each.address + each.memory - address));
  const memory = Buffer.alloc(Math.max(...ends));
  for (const each of loaded) {
    bytes.copy(memory, Number(each.address - address), Number(each.offset), Number(each.offset + each.file));
  }
  return memory;
}
