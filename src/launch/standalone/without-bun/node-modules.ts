/** The parts of node:fs and node:path that a start needs. */

/** Restricts an object to its given properties: access to any other falls back to Bun. */
export type Restrict = <Part extends object>(name: string, part: Part) => Part;

export function restrictBy(fallBack: (why: string) => never): Restrict {
  return (object, part) =>
    new Proxy(part, {
      get: (target, name) =>
        Reflect.has(target, name) ? Reflect.get(target, name) : fallBack(`${object}.${String(name)}`),
      has: (target, name) => Reflect.has(target, name) || fallBack(`${object}.${String(name)}`),
    });
}

/** Functions of natives.h for files. Each falls back to Bun in unusual cases. */
export interface FileNatives {
  readonly fallBack: (why: string) => never;
  readonly canAccess: (path: string, mode: number) => boolean;
  /** Returns mode, user, size, inode and device of a path's target, a link itself, or a descriptor. */
  readonly status: (
    of: string | number,
    follows: boolean,
  ) => readonly [number, number, number, number, number] | undefined;
  /** Opens a regular file; only one at a time. */
  readonly open: (path: string) => number;
  readonly read: (descriptor: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly close: () => void;
}

const CONSTANTS = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4, O_RDONLY: 0, O_NONBLOCK: 0o4000 };
const [TYPE, LINK, FILE, FOLDER, PIPE, DEVICE] = [0o170_000, 0o120_000, 0o100_000, 0o040_000, 0o010_000, 0o020_000];

export function fileSystem(
  { fallBack, canAccess, status, open, read, close }: FileNatives,
  restrict: Restrict,
): object {
  const stats = (of: string | number, follows: boolean): object | undefined => {
    const found = status(of, follows);
    if (found === undefined) return undefined;
    const [mode, uid, size, ino, dev] = found;
    const is = (type: number) => (): boolean => (mode & TYPE) === type;
    return restrict("Stats", {
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
  /** Node.js throws ENOENT unless `throwIfNoEntry` is false. */
  const at = (
    path: string,
    follows: boolean,
    options: { readonly throwIfNoEntry?: boolean } = {},
  ): object | undefined => stats(path, follows) ?? (options.throwIfNoEntry === false ? undefined : fallBack("ENOENT"));
  return restrict("fs", {
    constants: restrict("fs.constants", CONSTANTS),
    accessSync: (path: string, mode: number) => void (canAccess(path, mode) || fallBack("EACCES")),
    closeSync: close,
    existsSync: (path: string) => canAccess(path, CONSTANTS.F_OK),
    fstatSync: (descriptor: number) => stats(descriptor, true),
    lstatSync: (path: string, options?: object) => at(path, false, options),
    openSync: (path: string, flags: unknown) => (flags === CONSTANTS.O_NONBLOCK ? open(path) : fallBack("openSync")),
    readSync: (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: unknown) =>
      position === null ? read(descriptor, bytes, offset, length) : fallBack("readSync"),
    statSync: (path: string, options?: object) => at(path, true, options),
  });
}

/** Functions of node:path (POSIX) for absolute paths. */
export function paths(restrict: Restrict, fallBack: (why: string) => never): object {
  const namesIn = (path: string): readonly string[] => {
    if (!path.startsWith("/")) fallBack("a relative path");
    const names: string[] = [];
    for (const name of path.split("/")) {
      if (name === "..") names.pop();
      else if (name !== "" && name !== ".") names.push(name);
    }
    return names;
  };
  const joined = (names: readonly string[]): string => `/${names.join("/")}`;
  const resolve = (from: string, to: string): string => joined(namesIn(to.startsWith("/") ? to : `${from}/${to}`));
  return restrict("path", {
    sep: "/",
    // Only for normalized paths: dirname of others is not normalized.
    dirname: (path: string) => (resolve(path, "") === path ? joined(namesIn(path).slice(0, -1)) : fallBack("dirname")),
    relative: (from: string, to: string) => {
      const [here, there] = [namesIn(from), namesIn(to)];
      const common = here.findIndex((name, index) => name !== there[index]);
      const shared = common === -1 ? here.length : common;
      return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
    },
    resolve,
  });
}
