/** Replaces Node.js for the bundle in engine.c by the few objects of a start in exec mode. All others fall back to Bun. */
import type { BundleFile, Loader } from "../../../system/addon/addon.ts";
import { fileSystem, paths, restrictBy, type FileNatives, type Restrict } from "./node-modules.ts";

interface Native extends FileNatives {
  readonly addon: NonNullable<Loader["addon"]>;
  /** The arguments without the executable's name. */
  readonly words: readonly string[];
  readonly processor: string;
  readonly pid: number;
  readonly user: number;
  /** Returns a file of the bundle; falls back if there is none. */
  readonly load: (name: string) => BundleFile;
  readonly fallBack: (why: string) => never;
  /** Encodes UTF-8; falls back for half a surrogate pair. */
  readonly encode: (text: string) => Uint8Array<ArrayBuffer>;
  /** Decodes UTF-8; falls back for invalid bytes. */
  readonly decode: (bytes: Uint8Array) => string;
  readonly workingDirectory: () => string;
}

/** The bundle's entry, defined by the build. */
declare const SOPHIA_RUN_PROGRAM: string;

/** A certainly valid URL: the last label of the host begins with a letter, and a port has at most four digits. */
const PLAIN_URL =
  /^(?:https?|wss?):\/\/(?:(?!xn--)[a-z\d](?:[a-z\d-]*[a-z\d])?\.)*(?!xn--)[a-z](?:[a-z\d-]*[a-z\d])?(?::\d{1,4})?(?:[/?#][!-~]*)?$/i;

export function host(native: Native): void {
  const { addon, fallBack } = native;
  const restrict = restrictBy(fallBack);
  const modules = modulesOf(native, restrict);
  Object.assign(globalThis, {
    process: processOf(native, restrict, modules),
    Buffer: bufferOf(native, restrict),
    // Callers wait for pending signals, which end this process at once.
    setImmediate: async (next: () => void) => {
      await Promise.resolve();
      next();
    },
    URL: urlOf(native, restrict),
  });
  // All other globals of Node.js.
  Object.setPrototypeOf(globalThis, restrict("globalThis", Object.prototype));
  // QuickJS has no locales.
  for (const { prototype } of [String, Number, BigInt, Date, Array]) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (/locale/i.test(name)) Object.defineProperty(prototype, name, { get: () => fallBack(name) });
    }
  }

  const loaded = new Map<string, object>();
  const loader: Loader = {
    // All signals have the kernel's default action already.
    addon: { ...addon, restoreDefault: nothing },
    isUntouched: true,
    hasCodeToCache: () => false,
    cacheCode: nothing,
  };
  const require = (name: string): unknown => {
    if (!name.startsWith("./")) return modules.get(name) ?? fallBack(name);
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const exports = {};
    loaded.set(name, exports);
    native.load(name)(exports, require, "", name, loader);
    return exports;
  };
  require(SOPHIA_RUN_PROGRAM);
}

function nothing(): undefined {}

/** The bundle loads some of these without using them. */
function modulesOf(native: Native, restrict: Restrict): ReadonlyMap<string, object> {
  const { decode, fallBack } = native;
  const fs = fileSystem(native, restrict);
  const path = paths(restrict, fallBack);
  const modules = {
    fs,
    path,
    buffer: restrict("buffer", { isUtf8: (bytes: Uint8Array) => decode(bytes) !== undefined }),
    os: restrict("os", {}),
    crypto: restrict("crypto", {}),
    url: restrict("url", { URL: undefined, fileURLToPath: undefined }),
  };
  return new Map(
    Object.entries(modules).flatMap(([name, each]) => [
      [name, each],
      [`node:${name}`, each],
    ]),
  );
}

function processOf(
  { fallBack, processor, pid, words, user, workingDirectory }: Native,
  restrict: Restrict,
  modules: ReadonlyMap<string, object>,
): object {
  return restrict("process", {
    platform: "linux",
    arch: processor,
    pid,
    argv: ["", "", ...words],
    // The bundle takes the environment from the addon.
    env: {},
    execArgv: [],
    versions: restrict("process.versions", {}),
    exitCode: 0,
    send: undefined,
    stderr: undefined,
    cwd: workingDirectory,
    geteuid: () => user,
    getBuiltinModule: (name: string) => modules.get(name) ?? fallBack(name),
    eventNames: () => [],
    // Listeners are for errors, which fall back, and for PID 1, which exits on signals already (before-bun.c).
    on: nothing,
    removeListener: nothing,
    exit: () => fallBack("process.exit"),
  });
}

/** Falls back to Bun, which implements the whole standard (URL, WHATWG), for all but plain URLs. */
function urlOf({ fallBack }: Native, restrict: Restrict): object {
  class Url {
    static readonly canParse = (text: string): boolean => PLAIN_URL.test(text) || fallBack("URL.canParse");

    constructor() {
      fallBack("new URL");
    }
  }
  return restrict("URL", Url);
}

function bufferOf({ fallBack, encode, decode }: Native, restrict: Restrict): object {
  class Bytes extends Uint8Array<ArrayBuffer> {
    override toString(encoding = "utf8", ...range: readonly number[]): string {
      return encoding === "utf8" && range.length === 0 ? decode(this) : fallBack("Buffer.toString");
    }
  }
  // In Node.js these take strings, or share memory.
  for (const name of ["fill", "includes", "indexOf", "lastIndexOf", "slice"]) {
    Object.defineProperty(Bytes.prototype, name, { get: () => fallBack(name) });
  }
  const from = (text: unknown, encoding = "utf8"): Bytes =>
    typeof text === "string" && encoding === "utf8" ? new Bytes(encode(text).buffer) : fallBack("Buffer.from");
  const empty = (size: number, ...fill: readonly unknown[]): Bytes =>
    fill.length === 0 ? new Bytes(new ArrayBuffer(size)) : fallBack("Buffer.alloc");
  return restrict("Buffer", {
    alloc: empty,
    allocUnsafe: empty,
    byteLength: (text: unknown, encoding?: string) => from(text, encoding).length,
    from,
  });
}
