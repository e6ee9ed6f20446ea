// A ZIP archive that is the same for the same content: no dates, no owners. Without ZIP64, so up to 4 GiB.
import { crc32, deflateRawSync } from "node:zlib";

/** 1980-01-01, the first day that the format knows. */
const DATE = (1 << 5) | 1;
const UNIX = 3 << 8;
const VERSION = 20;
const REGULAR = 0o100_000;
const NAMES_ARE_UTF8 = 0x0800;

/** @param files in the order of the archive: name, content (Buffer) and mode, such as 0o755 */
export function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, content, mode } of files) {
    const deflated = deflateRawSync(content, { level: 9 });
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(NAMES_ARE_UTF8, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(deflated.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(path.length, 22);
    parts.push(Buffer.from("PK\u0003\u0004"), common, path, deflated);
    const entry = Buffer.alloc(46 - 6 - 26);
    entry.writeUInt32LE((REGULAR | mode) * 0x1_0000, 6);
    entry.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(UNIX | VERSION);
    directory.push(Buffer.from("PK\u0001\u0002"), madeBy, common, entry, path);
    offset += 4 + common.length + path.length + deflated.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
