/**
 * The module node:fs of the executable's runtime. It has only the functions that sophia-run's code uses, most of them synchronous.
 * The system calls are in runtime/native/files.c, whose functions throw errors such as Node.js throws.
 */
import { Buffer } from "./buffer.ts";
import { POLLOUT, watch } from "../loop.ts";
import { natives } from "../native.ts";

type Path = string | Uint8Array;
/** The entries of a folder: alternately a name (bytes) and a type (`d_type` of readdir(3)). */
type FolderEntries = readonly (Uint8Array | number)[];

interface Natives {
  readonly processor: string;
  readonly open: (path: string, flags: number, mode: number) => number;
  readonly close: (descriptor: number) => void;
  /** Reads at a position of the file; at the descriptor's current position if `position` is -1. */
  readonly read: (descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number) => number;
  /** Writes at a position of the file; at the descriptor's current position if `position` is -1. */
  readonly write: (descriptor: number, data: Uint8Array, offset: number, length: number, position: number) => number;
  /** Calls back with the number of written bytes, or a negated errno. @throws if no thread can be started */
  readonly writeInThread: (descriptor: number, bytes: Uint8Array, callback: (result: number) => void) => void;
  readonly access: (path: string, mode: number) => void;
  /** @returns the fields of `Stats`; undefined if there is no file and `throwsIfMissing` is false */
  readonly status: (path: string, followsLink: boolean, throwsIfMissing: boolean) => readonly number[] | undefined;
  readonly statusOfOpen: (descriptor: number) => readonly number[];
  readonly inodeOfOpen: (descriptor: number) => bigint;
  readonly fileSystemType: (path: string) => number;
  readonly makeFolder: (path: string, mode: number) => void;
  readonly makeTemporaryFolder: (prefix: string) => string;
  readonly removeFile: (path: string) => void;
  readonly removeFolder: (path: string) => void;
  readonly rename: (from: string, to: string) => void;
  /** Makes a symbolic link. */
  readonly makeLink: (target: string, path: string) => void;
  readonly readLink: (path: string) => string;
  readonly readLinkBytes: (path: string) => Uint8Array;
  readonly realPath: (path: string) => string;
  readonly realPathBytes: (path: string) => Uint8Array;
  readonly readFolder: (path: string) => FolderEntries;
  readonly openFolder: (path: string) => number;
  /** Returns the next entries of an open folder, up to some hundreds; undefined at the end. */
  readonly readOpenFolder: (descriptor: number) => FolderEntries | undefined;
  readonly changeMode: (descriptor: number, mode: number) => void;
  /** Flushes a file to the disk (fsync(2)). */
  readonly synchronize: (descriptor: number) => void;
  readonly truncate: (descriptor: number, length: number) => void;
  /** Decodes a path. Bytes that are not UTF-8 become characters that `utf8_of` in runtime.h turns into the same bytes again. */
  readonly textFromSystem: (bytes: Uint8Array) => string;
  /** Returns an error such as the other functions throw. @param error an errno */
  readonly systemError: (error: number, syscall: string) => Error;
}

const native = natives<Natives>();

export const constants = {
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  // These two have other numbers on Arm.
  O_DIRECTORY: native.processor === "arm64" ? 0o40_000 : 0o200_000,
  O_NOFOLLOW: native.processor === "arm64" ? 0o100_000 : 0o400_000,
  S_IFMT: 0o170_000,
} as const;

/** The flags that a caller of openSync may pass as text. */
const OPEN_FLAGS: Readonly<Record<string, number>> = {
  r: constants.O_RDONLY,
  "r+": constants.O_RDWR,
  w: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_EXCL,
  a: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
};
/** The types of files, which are the bits `S_IFMT` of a mode (inode(7)). */
const FILE = 0o100_000;
const FOLDER = 0o040_000;
const SYMBOLIC_LINK = 0o120_000;
const PIPE = 0o010_000;
const SOCKET = 0o140_000;
const CHARACTER_DEVICE = 0o020_000;
const EISDIR = 21;
/** The position at which `read` and `write` continue where the last call has ended. */
const CURRENT_POSITION = -1;

/** Returns a path for the C functions. */
function pathOf(path: Path): string {
  return typeof path === "string" ? path : native.textFromSystem(path);
}

class Stats {
  readonly dev: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blksize: number;
  readonly ino: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;

  /** @param fields the values of the fields above, in this order, which files.c must keep. Destructuring would be slower. */
  constructor(fields: readonly number[]) {
    this.dev = fields[0] ?? 0;
    this.mode = fields[1] ?? 0;
    this.nlink = fields[2] ?? 0;
    this.uid = fields[3] ?? 0;
    this.gid = fields[4] ?? 0;
    this.rdev = fields[5] ?? 0;
    this.blksize = fields[6] ?? 0;
    this.ino = fields[7] ?? 0;
    this.size = fields[8] ?? 0;
    this.blocks = fields[9] ?? 0;
    this.atimeMs = fields[10] ?? 0;
    this.mtimeMs = fields[11] ?? 0;
    this.ctimeMs = fields[12] ?? 0;
    this.birthtimeMs = fields[13] ?? 0;
  }

  isFile(): boolean {
    return (this.mode & constants.S_IFMT) === FILE;
  }

  isDirectory(): boolean {
    return (this.mode & constants.S_IFMT) === FOLDER;
  }

  isSymbolicLink(): boolean {
    return (this.mode & constants.S_IFMT) === SYMBOLIC_LINK;
  }

  isFIFO(): boolean {
    return (this.mode & constants.S_IFMT) === PIPE;
  }

  isSocket(): boolean {
    return (this.mode & constants.S_IFMT) === SOCKET;
  }

  isCharacterDevice(): boolean {
    return (this.mode & constants.S_IFMT) === CHARACTER_DEVICE;
  }
}

interface StatOptions {
  readonly throwIfNoEntry?: boolean;
}

function readStatus(path: Path, followsLink: boolean, { throwIfNoEntry = true }: StatOptions): Stats | undefined {
  const fields = native.status(pathOf(path), followsLink, throwIfNoEntry);
  return fields && new Stats(fields);
}

export function statSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return readStatus(path, true, options);
}

export function lstatSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return readStatus(path, false, options);
}

export function fstatSync(descriptor: number): Stats;
export function fstatSync(descriptor: number, options: { readonly bigint: true }): { readonly ino: bigint };
/** With the option `bigint`, only the inode number is returned, because sophia-run uses no other field then. */
export function fstatSync(descriptor: number, options?: object): Stats | { readonly ino: bigint } {
  if (options !== undefined) return { ino: native.inodeOfOpen(descriptor) };
  return new Stats(native.statusOfOpen(descriptor));
}

/** Returns only the type of the file system: a number that statfs(2) lists, such as 0x9fa0 for /proc. */
export function statfsSync(path: Path): { readonly type: number } {
  return { type: native.fileSystemType(pathOf(path)) };
}

export function existsSync(path: Path): boolean {
  try {
    native.access(pathOf(path), constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

export function accessSync(path: Path, mode: number = constants.F_OK): void {
  native.access(pathOf(path), mode);
}

/** Checks as `accessSync` does, and calls back later, with its error or null. */
export function access(path: Path, callback: (error: unknown) => void): void {
  let accessError: unknown = null;
  try {
    accessSync(path);
  } catch (error) {
    accessError = error;
  }
  setImmediate(() => callback(accessError));
}

export function openSync(path: Path, flags: string | number = "r", mode = 0o666): number {
  const bits = typeof flags === "number" ? flags : OPEN_FLAGS[flags];
  if (bits === undefined) throw new TypeError(`unknown flags ${flags}`);
  return native.open(pathOf(path), bits, mode);
}

export function closeSync(descriptor: number): void {
  native.close(descriptor);
}

interface ReadOptions {
  readonly offset?: number;
  readonly length?: number;
  readonly position?: number | null;
}

/** Takes (descriptor, bytes, offset, length, position) or (descriptor, bytes, options). @returns 0 at the end of the file */
export function readSync(
  descriptor: number,
  bytes: Uint8Array,
  offsetOrOptions: number | ReadOptions = 0,
  lengthArgument?: number,
  positionArgument: number | null = null,
): number {
  const {
    offset = 0,
    length,
    position,
  } = typeof offsetOrOptions === "number"
    ? { offset: offsetOrOptions, length: lengthArgument, position: positionArgument }
    : offsetOrOptions;
  return native.read(descriptor, bytes, offset, length ?? bytes.length - offset, position ?? CURRENT_POSITION);
}

/** @returns the number of written bytes, which may be smaller than `length` */
export function writeSync(
  descriptor: number,
  data: Uint8Array | string,
  offset = 0,
  length?: number,
  position?: number | null,
): number {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  return native.write(descriptor, bytes, offset, length ?? bytes.length - offset, position ?? CURRENT_POSITION);
}

type WriteCallback = (error: Error | null, count: number, bytes: Uint8Array) => void;

/** Writes at the current position, on another thread, because the write may block. */
export function write(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  _position: null,
  callback: WriteCallback,
): void {
  const part = bytes.subarray(offset, offset + length);
  const finish = (result: number): void => {
    if (result < 0) callback(native.systemError(-result, "write"), 0, bytes);
    else callback(null, result, bytes);
  };
  try {
    native.writeInThread(descriptor, part, finish);
  } catch {
    // The only error is that no thread can be started: the user's limit on processes also counts threads.
    writeWhenWritable(descriptor, part, finish);
  }
}

/** Writing at most so many bytes to a pipe does not block if poll(2) has reported the pipe writable (PIPE_BUF in pipe(7)). */
const MAX_UNBLOCKED_BYTES = 4096;

/**
 * Writes some of the bytes as soon as that does not block.
 *
 * @param finish is called with the number of written bytes, or a negated errno
 */
function writeWhenWritable(descriptor: number, bytes: Uint8Array, finish: (result: number) => void): void {
  const writeWatch = watch(descriptor, POLLOUT, () => {
    writeWatch.close();
    let result: number;
    try {
      result = native.write(descriptor, bytes, 0, Math.min(bytes.length, MAX_UNBLOCKED_BYTES), CURRENT_POSITION);
    } catch (error) {
      // The property `errno` of a system error is negated already.
      result = error instanceof Error && "errno" in error ? Number(error.errno) : -1;
    }
    finish(result);
  });
}

type EncodingOption = BufferEncoding | { readonly encoding?: BufferEncoding | null } | null;

function encodingOf(options: EncodingOption | undefined): BufferEncoding | undefined {
  return (typeof options === "string" ? options : options?.encoding) ?? undefined;
}

/** The number of bytes that are read at once if the size of a file is not known. */
const CHUNK_BYTES = 65_536;

/** Reads a file to its end, even if its size is not known beforehand, as for files of /proc and pipes. */
export function readFileSync(file: Path | number, options?: EncodingOption): Buffer | string {
  const descriptor = typeof file === "number" ? file : openSync(file);
  const chunks: Buffer[] = [];
  try {
    const { size } = fstatSync(descriptor);
    // The first chunk has space for the whole file, and for one byte more, which shows whether the file has grown.
    for (let chunkBytes = size > 0 ? size + 1 : CHUNK_BYTES; ; chunkBytes = CHUNK_BYTES) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const count = readSync(descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    if (typeof file !== "number") closeSync(descriptor);
  }
  const bytes = Buffer.concat(chunks);
  const encoding = encodingOf(options);
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

interface WriteOptions {
  readonly mode?: number;
  readonly flag?: string;
}

export function writeFileSync(file: Path | number, data: Uint8Array | string, options: WriteOptions = {}): void {
  const descriptor = typeof file === "number" ? file : openSync(file, options.flag ?? "w", options.mode);
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
  } finally {
    if (typeof file !== "number") closeSync(descriptor);
  }
}

export function appendFileSync(file: Path, data: Uint8Array | string, options: WriteOptions = {}): void {
  writeFileSync(file, data, { flag: "a", ...options });
}

class Dirent {
  readonly name: string;
  readonly #type: number;

  /** @param type DT_REG and so on (readdir(3)): the type bits of the mode, shifted right by twelve bits */
  constructor(name: string, type: number) {
    this.name = name;
    this.#type = type << 12;
  }

  isFile(): boolean {
    return this.#type === FILE;
  }

  isDirectory(): boolean {
    return this.#type === FOLDER;
  }

  isSymbolicLink(): boolean {
    return this.#type === SYMBOLIC_LINK;
  }
}

interface FolderOptions {
  readonly withFileTypes?: boolean;
  readonly encoding?: "buffer";
}

/** Returns the entry whose name is at this index of the list, and whose type is behind it. */
function entryAt(list: FolderEntries, index: number): { readonly name: Buffer; readonly type: number } {
  const [bytes, type] = [list[index], list[index + 1]];
  if (typeof bytes !== "object" || typeof type !== "number") throw new TypeError("the list of entries is malformed");
  return { name: Buffer.from(bytes), type };
}

export function readdirSync(path: Path, options: FolderOptions = {}): (string | Dirent | Buffer)[] {
  const list = native.readFolder(pathOf(path));
  const entries: (string | Dirent | Buffer)[] = [];
  for (let index = 0; index < list.length; index += 2) {
    const { name, type } = entryAt(list, index);
    if (options.encoding === "buffer") entries.push(name);
    else entries.push(options.withFileTypes === true ? new Dirent(name.toString(), type) : name.toString());
  }
  return entries;
}

/** An open folder, from which up to some hundreds of entries are read at once. The caller must close it. */
class Dir {
  readonly #descriptor: number;
  /** The entries of the last read; undefined at the end of the folder. */
  #entries: FolderEntries | undefined = [];
  #index = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  readSync(): Dirent | null {
    // A list may be empty before the end of the folder, because files.c leaves out the entries "." and "..".
    while (this.#entries !== undefined && this.#index >= this.#entries.length) {
      this.#entries = native.readOpenFolder(this.#descriptor);
      this.#index = 0;
    }
    if (this.#entries === undefined) return null;
    const { name, type } = entryAt(this.#entries, this.#index);
    this.#index += 2;
    return new Dirent(name.toString(), type);
  }

  closeSync(): void {
    native.close(this.#descriptor);
  }
}

export function opendirSync(path: Path): Dir {
  return new Dir(native.openFolder(pathOf(path)));
}

export function mkdirSync(path: Path, options: number | { readonly mode?: number } = {}): void {
  native.makeFolder(pathOf(path), (typeof options === "number" ? options : options.mode) ?? 0o777);
}

export function mkdtempSync(prefix: string): string {
  return native.makeTemporaryFolder(prefix);
}

export function unlinkSync(path: Path): void {
  native.removeFile(pathOf(path));
}

export function rmdirSync(path: Path): void {
  native.removeFolder(pathOf(path));
}

function listNames(path: string): readonly string[] {
  return readdirSync(path).filter((entry) => typeof entry === "string");
}

export function rmSync(path: string, options: { readonly force?: boolean; readonly recursive?: boolean } = {}): void {
  const stats = lstatSync(path, { throwIfNoEntry: options.force !== true });
  if (stats === undefined) return;
  if (!stats.isDirectory()) return unlinkSync(path);
  if (options.recursive !== true) throw native.systemError(EISDIR, "rm");
  for (const name of listNames(path)) rmSync(`${path}/${name}`, options);
  rmdirSync(path);
}

export function renameSync(from: Path, to: Path): void {
  native.rename(pathOf(from), pathOf(to));
}

export function symlinkSync(target: Path, path: Path): void {
  native.makeLink(pathOf(target), pathOf(path));
}

export function readlinkSync(path: Path, options: Pick<FolderOptions, "encoding"> = {}): string | Buffer {
  const name = pathOf(path);
  return options.encoding === "buffer" ? Buffer.from(native.readLinkBytes(name)) : native.readLink(name);
}

export function realpathSync(path: Path, options: Pick<FolderOptions, "encoding"> = {}): string | Buffer {
  const name = pathOf(path);
  return options.encoding === "buffer" ? Buffer.from(native.realPathBytes(name)) : native.realPath(name);
}
// Both are the function of the system.
realpathSync.native = realpathSync;

export function fchmodSync(descriptor: number, mode: number): void {
  native.changeMode(descriptor, mode);
}

export function fsyncSync(descriptor: number): void {
  native.synchronize(descriptor);
}

export function ftruncateSync(descriptor: number, length = 0): void {
  native.truncate(descriptor, length);
}
