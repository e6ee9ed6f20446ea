import type { Only } from "./only.ts";

/** What natives.h has for files. Each leaves to Bun where something is out of the ordinary. */
export interface FileNatives {
  readonly leave: (what: string) => never;
  /** access(2). */
  readonly canAccess: (path: string, mode: number) => boolean;
  /** Mode, user, size, inode and device of what a path leads to, of a link itself, or of what is open. */
  readonly status: (
    of: string | number,
    follows: boolean,
  ) => readonly [number, number, number, number, number] | undefined;
  /** A regular file; one at a time. */
  readonly open: (path: string) => number;
  readonly read: (descriptor: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly close: () => void;
}

const CONSTANTS = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4, O_RDONLY: 0, O_NONBLOCK: 0o4000 };
const [TYPE, LINK, FILE, FOLDER, PIPE, DEVICE] = [0o170_000, 0o120_000, 0o100_000, 0o040_000, 0o010_000, 0o020_000];

/** The part of node:fs by which a contract and `.env` files are found and read. */
export function fileSystem({ leave, canAccess, status, open, read, close }: FileNatives, only: Only): object {
  const stats = (of: string | number, follows: boolean): object | undefined => {
    const found = status(of, follows);
    if (found === undefined) return undefined;
    const [mode, uid, size, ino, dev] = found;
    const is = (type: number) => (): boolean => (mode & TYPE) === type;
    return only("Stats", {
      mode,
      uid,
      size,
      ino,
      dev,
      isFile: is(FILE),
      isDirectory: is(FOLDER),
      isFIFO: is(PIPE),
      isSymbolicLink: is(LINK),
      isCharacterDevice: is(DEVICE),
    });
  };
  /** Where nothing is, Node.js throws unless it is told not to. */
  const at = (
    path: string,
    follows: boolean,
    options: { readonly throwIfNoEntry?: boolean } = {},
  ): object | undefined => stats(path, follows) ?? (options.throwIfNoEntry === false ? undefined : leave("ENOENT"));
  return only("fs", {
    constants: only("fs.constants", CONSTANTS),
    accessSync: (path: string, mode: number) => void (canAccess(path, mode) || leave("EACCES")),
    closeSync: close,
    existsSync: (path: string) => canAccess(path, CONSTANTS.F_OK),
    fstatSync: (descriptor: number) => stats(descriptor, true),
    lstatSync: (path: string, options?: object) => at(path, false, options),
    openSync: (path: string, flags: unknown) => (flags === CONSTANTS.O_NONBLOCK ? open(path) : leave("openSync")),
    readSync: (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: unknown) =>
      position === null ? read(descriptor, bytes, offset, length) : leave("readSync"),
    statSync: (path: string, options?: object) => at(path, true, options),
  });
}
