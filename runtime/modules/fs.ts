/** The parts of node:fs that the bundle uses. */
import { Buffer } from "./buffer.ts";
import { POLLOUT, watch } from "../loop.ts";
import { natives } from "../native.ts";

type Path = string | Uint8Array;
/** Names, as bytes, and types in turns. */
type Entries = readonly (Uint8Array | number)[];

interface Natives {
  readonly processor: string;
  readonly open: (path: string, flags: number, mode: number) => number;
  readonly close: (descriptor: number) => void;
  readonly read: (descriptor: number, to: Uint8Array, offset: number, length: number, position: number) => number;
  readonly write: (descriptor: number, from: Uint8Array, offset: number, length: number, position: number) => number;
  readonly writeInThread: (descriptor: number, bytes: Uint8Array, callback: (result: number) => void) => void;
  readonly access: (path: string, mode: number) => void;
  readonly status: (path: string, follows: boolean, throws: boolean) => readonly number[] | undefined;
  readonly statusOfOpen: (descriptor: number) => readonly number[];
  readonly inodeOfOpen: (descriptor: number) => bigint;
  readonly fileSystemType: (path: string) => number;
  readonly makeFolder: (path: string, mode: number) => void;
  readonly makeTemporaryFolder: (prefix: string) => string;
  readonly removeFile: (path: string) => void;
  readonly removeFolder: (path: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly makeLink: (target: string, path: string) => void;
  readonly readLink: (path: string) => string;
  readonly readLinkBytes: (path: string) => Uint8Array;
  readonly realPath: (path: string) => string;
  readonly realPathBytes: (path: string) => Uint8Array;
  readonly readFolder: (path: string) => Entries;
  readonly openFolder: (path: string) => number;
  /** Returns the next entries, some hundreds; undefined at the end. */
  readonly readOpenFolder: (descriptor: number) => Entries | undefined;
  readonly changeMode: (descriptor: number, mode: number) => void;
  readonly synchronize: (descriptor: number) => void;
  readonly truncate: (descriptor: number, length: number) => void;
  /** Returns the path of which `utf8_of` in runtime.h makes these bytes. */
  readonly textFromSystem: (bytes: Uint8Array) => string;
  /** Returns the error that functions of C throw. @param error the system's number */
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
  // They differ on Arm.
  O_DIRECTORY: native.processor === "arm64" ? 0o40_000 : 0o200_000,
  O_NOFOLLOW: native.processor === "arm64" ? 0o100_000 : 0o400_000,
  S_IFMT: 0o170_000,
} as const;

const FLAGS: Readonly<Record<string, number>> = {
  r: constants.O_RDONLY,
  "r+": constants.O_RDWR,
  w: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_EXCL,
  a: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
};
const [TYPE, LINK, FILE, SOCKET, FOLDER, PIPE, DEVICE] = [
  0o170_000, 0o120_000, 0o100_000, 0o140_000, 0o040_000, 0o010_000, 0o020_000,
];

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

  /** By index, since to take a list apart calls its iterator for each field. */
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
    return (this.mode & TYPE) === FILE;
  }

  isDirectory(): boolean {
    return (this.mode & TYPE) === FOLDER;
  }

  isSymbolicLink(): boolean {
    return (this.mode & TYPE) === LINK;
  }

  isFIFO(): boolean {
    return (this.mode & TYPE) === PIPE;
  }

  isSocket(): boolean {
    return (this.mode & TYPE) === SOCKET;
  }

  isCharacterDevice(): boolean {
    return (this.mode & TYPE) === DEVICE;
  }
}

interface StatOptions {
  readonly throwIfNoEntry?: boolean;
}

function statusAt(path: Path, follows: boolean, { throwIfNoEntry = true }: StatOptions): Stats | undefined {
  const fields = native.status(pathOf(path), follows, throwIfNoEntry);
  return fields && new Stats(fields);
}

export function statSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return statusAt(path, true, options);
}

export function lstatSync(path: Path, options: StatOptions = {}): Stats | undefined {
  return statusAt(path, false, options);
}

export function fstatSync(descriptor: number): Stats;
export function fstatSync(descriptor: number, options: { readonly bigint: true }): { readonly ino: bigint };
/** With `bigint` the inode alone, which is all that the bundle asks for. */
export function fstatSync(descriptor: number, options?: object): Stats | { readonly ino: bigint } {
  if (options !== undefined) return { ino: native.inodeOfOpen(descriptor) };
  return new Stats(native.statusOfOpen(descriptor));
}

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

/** Calls back later, with the error of `accessSync` or null. */
export function access(path: Path, callback: (error: unknown) => void): void {
  let problem: unknown = null;
  try {
    accessSync(path);
  } catch (error) {
    problem = error;
  }
  setImmediate(() => callback(problem));
}

export function openSync(path: Path, flags: string | number = "r", mode = 0o666): number {
  const bits = typeof flags === "number" ? flags : FLAGS[flags];
  if (bits === undefined) throw new TypeError(`no flags ${flags}`);
  return native.open(pathOf(path), bits, mode);
}

export function closeSync(descriptor: number): void {
  native.close(descriptor);
}

interface PartOfBytes {
  readonly offset?: number;
  readonly length?: number;
  readonly position?: number | null;
}

/** Takes the part of the bytes as three numbers or as one object. */
export function readSync(
  descriptor: number,
  to: Uint8Array,
  from: number | PartOfBytes = 0,
  count?: number,
  at: number | null = null,
): number {
  const {
    offset = 0,
    length,
    position,
  } = typeof from === "number" ? { offset: from, length: count, position: at } : from;
  return native.read(descriptor, to, offset, length ?? to.length - offset, position ?? -1);
}

export function writeSync(
  descriptor: number,
  data: Uint8Array | string,
  offset = 0,
  length?: number,
  position?: number | null,
): number {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  return native.write(descriptor, bytes, offset, length ?? bytes.length - offset, position ?? -1);
}

type Written = (error: Error | null, count: number, bytes: Uint8Array) => void;

/** Writes in another thread, which may wait. */
export function write(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  _position: null,
  done: Written,
): void {
  const part = bytes.subarray(offset, offset + length);
  const finish = (result: number): void => {
    if (result < 0) done(native.systemError(-result, "write"), 0, bytes);
    else done(null, result, bytes);
  };
  try {
    native.writeInThread(descriptor, part, finish);
  } catch {
    // The limit on processes counts threads.
    writeInTurn(descriptor, part, finish);
  }
}

/** A write of so many bytes to a pipe does not block if poll(2) reports it writable (PIPE_BUF). */
const UNBLOCKED_BYTES = 4096;

/** Writes some of the bytes once that does not block. @param finish gets their number, or the negative number of an error */
function writeInTurn(descriptor: number, bytes: Uint8Array, finish: (result: number) => void): void {
  const writable = watch(descriptor, POLLOUT, () => {
    writable.close();
    let result: number;
    try {
      result = native.write(descriptor, bytes, 0, Math.min(bytes.length, UNBLOCKED_BYTES), -1);
    } catch (error) {
      result = error instanceof Error && "errno" in error ? Number(error.errno) : -1;
    }
    finish(result);
  });
}

type Encoding = BufferEncoding | { readonly encoding?: BufferEncoding | null } | null;

function encodingOf(options: Encoding | undefined): BufferEncoding | undefined {
  return (typeof options === "string" ? options : options?.encoding) ?? undefined;
}

/** Reads to the end, also files whose size is not known (/proc, pipes). */
export function readFileSync(file: Path | number, options?: Encoding): Buffer | string {
  const descriptor = typeof file === "number" ? file : openSync(file);
  const chunks: Buffer[] = [];
  try {
    const { size } = fstatSync(descriptor);
    for (let next = size > 0 ? size + 1 : 65_536; ; next = 65_536) {
      const chunk = Buffer.allocUnsafe(next);
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

  /** @param type DT_REG and so on of readdir(3): the file's type in twelve bits less */
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
    return this.#type === LINK;
  }
}

interface FolderOptions {
  readonly withFileTypes?: boolean;
  readonly encoding?: "buffer";
}

function entryAt(list: Entries, index: number): { readonly name: Buffer; readonly type: number } {
  const [bytes, type] = [list[index], list[index + 1]];
  if (typeof bytes !== "object" || typeof type !== "number") throw new TypeError("no entry of a folder");
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

/** An open folder, whose entries are read in parts. */
class Dir {
  readonly #descriptor: number;
  #part: Entries | undefined = [];
  #index = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  readSync(): Dirent | null {
    // A part may have the folder itself and the one above alone, which are left out.
    while (this.#part !== undefined && this.#index >= this.#part.length) {
      this.#part = native.readOpenFolder(this.#descriptor);
      this.#index = 0;
    }
    if (this.#part === undefined) return null;
    const { name, type } = entryAt(this.#part, this.#index);
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

function namesIn(path: string): readonly string[] {
  return readdirSync(path).filter((entry) => typeof entry === "string");
}

export function rmSync(path: string, options: { readonly force?: boolean; readonly recursive?: boolean } = {}): void {
  const stats = lstatSync(path, { throwIfNoEntry: options.force !== true });
  if (stats === undefined) return;
  if (!stats.isDirectory()) return unlinkSync(path);
  if (options.recursive !== true) throw native.systemError(21, "rm");
  for (const name of namesIn(path)) rmSync(`${path}/${name}`, options);
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
