/**
 * What the bundle finds in place of Node.js where engine.c runs it: the few things that a start needs which becomes the
 * program. To touch anything else is to leave to Bun.
 */
import type { BundleFile, Loader } from "../../../system/addon/addon.ts";
import { fileSystem, type FileNatives } from "./files.ts";
import { type Only, onlyWith } from "./only.ts";
import { paths } from "./paths.ts";

/** What engine.c gives. */
interface Native extends FileNatives {
  readonly addon: NonNullable<Loader["addon"]>;
  /** The arguments behind the executable's own name. */
  readonly words: readonly string[];
  /** By Node's name. */
  readonly processor: string;
  readonly pid: number;
  readonly user: number;
  /** A file of the bundle, compiled. It leaves where it has none of the name. */
  readonly load: (name: string) => BundleFile;
  readonly leave: (what: string) => never;
  /** A text in UTF-8; it leaves where that has no such form. */
  readonly encode: (text: string) => Uint8Array<ArrayBuffer>;
  /** Bytes in UTF-8 as a text; it leaves where they are not. */
  readonly decode: (bytes: Uint8Array) => string;
  readonly workingDirectory: () => string;
}

/** Of the build: the bundle's entry. */
declare const SOPHIA_RUN_PROGRAM: string;

/**
 * A URL beyond doubt: a host of plain labels, the last of which begins with a letter, and a port of at most four digits, if
 * any. Other URLs may be valid, too.
 */
const PLAIN_URL =
  /^(?:https?|wss?):\/\/(?:(?!xn--)[a-z\d](?:[a-z\d-]*[a-z\d])?\.)*(?!xn--)[a-z](?:[a-z\d-]*[a-z\d])?(?::\d{1,4})?(?:[/?#][!-~]*)?$/i;

export function host(native: Native): void {
  const { addon, leave } = native;
  const only = onlyWith(leave);
  const modules = modulesOf(native, only);
  Object.assign(globalThis, {
    process: processOf(native, only, modules),
    Buffer: bufferOf(native, only),
    // It delivers what was sent so far; here a signal ends the process at once.
    setImmediate: async (next: () => void) => {
      await Promise.resolve();
      next();
    },
    URL: urlOf(native, only),
  });
  // Whatever else Node.js has.
  Object.setPrototypeOf(globalThis, only("globalThis", Object.prototype));
  // These depend on a language, of which QuickJS has none.
  for (const { prototype } of [String, Number, BigInt, Date, Array]) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (/locale/i.test(name)) Object.defineProperty(prototype, name, { get: () => leave(name) });
    }
  }

  const loaded = new Map<string, object>();
  const loader: Loader = {
    // By the kernel's own action this process dies of any signal already.
    addon: { ...addon, restoreDefault: nothing },
    isUntouched: true,
    hasCodeToCache: () => false,
    cacheCode: nothing,
  };
  const require = (name: string): unknown => {
    if (!name.startsWith("./")) return modules.get(name) ?? leave(name);
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

/** Of some the bundle loads more than it uses. */
function modulesOf(native: Native, only: Only): ReadonlyMap<string, object> {
  const { decode, leave } = native;
  const fs = fileSystem(native, only);
  const path = paths(only, leave);
  const modules = {
    fs,
    path,
    buffer: only("buffer", { isUtf8: (bytes: Uint8Array) => decode(bytes) !== undefined }),
    os: only("os", {}),
    crypto: only("crypto", {}),
  };
  const url = { url: only("url", { URL: undefined, fileURLToPath: undefined }) };
  return new Map(
    Object.entries({ ...modules, ...url }).flatMap(([name, each]) => [
      [name, each],
      [`node:${name}`, each],
    ]),
  );
}

function processOf(
  { leave, processor, pid, words, user, workingDirectory }: Native,
  only: Only,
  modules: ReadonlyMap<string, object>,
): object {
  return only("process", {
    platform: "linux",
    arch: processor,
    pid,
    argv: ["", "", ...words],
    // The bundle takes the environment from its addon; no variable changes how this runs.
    env: {},
    execArgv: [],
    versions: only("process.versions", {}),
    exitCode: 0,
    send: undefined,
    stderr: undefined,
    cwd: workingDirectory,
    geteuid: () => user,
    getBuiltinModule: (name: string) => modules.get(name) ?? leave(name),
    eventNames: () => [],
    // Of signals only PID 1 hears, to end at them, as it does here already. An error leaves, and so does an end.
    on: nothing,
    removeListener: nothing,
    exit: () => leave("process.exit"),
  });
}

/** Where it is in doubt, Bun decides, which has all of the standard (URL, WHATWG). */
function urlOf({ leave }: Native, only: Only): object {
  class Url {
    static readonly canParse = (text: string): boolean => PLAIN_URL.test(text) || leave("URL.canParse");

    constructor() {
      leave("new URL");
    }
  }
  return only("URL", Url);
}

function bufferOf({ leave, encode, decode }: Native, only: Only): object {
  class Bytes extends Uint8Array<ArrayBuffer> {
    override toString(encoding = "utf8", ...range: readonly number[]): string {
      return encoding === "utf8" && range.length === 0 ? decode(this) : leave("Buffer.toString");
    }
  }
  // In Node.js these take texts, or share memory.
  for (const name of ["fill", "includes", "indexOf", "lastIndexOf", "slice"]) {
    Object.defineProperty(Bytes.prototype, name, { get: () => leave(name) });
  }
  const from = (text: unknown, encoding = "utf8"): Bytes =>
    typeof text === "string" && encoding === "utf8" ? new Bytes(encode(text).buffer) : leave("Buffer.from");
  const empty = (size: number, ...fill: readonly unknown[]): Bytes =>
    fill.length === 0 ? new Bytes(new ArrayBuffer(size)) : leave("Buffer.alloc");
  return only("Buffer", {
    alloc: empty,
    allocUnsafe: empty,
    byteLength: (text: unknown, encoding?: string) => from(text, encoding).length,
    from,
  });
}
