/**
 * The few functions of the C library that JavaScript lacks, where the runtime can call them: `node:ffi` of Node.js 26
 * and later, `bun:ffi` in the stand-alone executable. Everywhere else there are none, and their users do without.
 */
export interface Libc {
  /** Lets the descriptor stay open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /** execve(2) with bytes that need not be UTF-8. Returns only when it has failed. */
  readonly execve: (file: Uint8Array, argv: readonly Uint8Array[], environment: readonly Uint8Array[]) => void;
  /** Reaps every dead child but one, which is left to the runtime (waitid(2)). Needed of PID 1, who inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
  /** Gives a signal its default action, whoever has set another (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
}

type Type = "i32" | "u32" | "pointer";
type Signature = readonly [result: Type, ...parameters: Type[]];
/** What a foreign function takes and gives here; a pointer is a buffer, passed as its address. */
type Foreign = (...args: readonly (number | Uint8Array)[]) => unknown;
/** A foreign function interface: resolves functions of the C library, tells where a buffer is. */
interface Ffi {
  readonly open: (signatures: Readonly<Record<string, Signature>>) => Readonly<Record<string, Foreign>>;
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

const signatures: Readonly<Record<string, Signature>> = {
  getpid: ["i32"],
  fcntl: ["i32", "i32", "i32", "i32"],
  execve: ["i32", "pointer", "pointer", "pointer"],
  waitid: ["i32", "i32", "u32", "pointer", "i32"],
};

/** Constants and a layout that all 64-bit Linux architectures share. */
const F_SETFD = 2;
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 0x1;
const WEXITED = 0x4;
const WNOWAIT = 0x1000000;
const siginfo = { size: 128, pid: 16 } as const;

/**
 * @returns undefined where the runtime cannot call the C library, or where an interface that is still called
 *   experimental does not do what it did: the functions are tried before they are handed out
 */
export function loadLibc(): Libc | undefined {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return undefined;
  try {
    // Node announces on stderr that the interface is experimental.
    process.removeAllListeners("warning");
    const ffi = nodeFfi() ?? bunFfi();
    if (ffi === undefined) return undefined;
    const { getpid, fcntl, execve, waitid } = ffi.open(signatures);
    if (getpid === undefined || fcntl === undefined || execve === undefined || waitid === undefined) return undefined;
    if (getpid() !== process.pid || fcntl(-1, F_SETFD, 0) !== -1) return undefined;
    return {
      keepOnExec: (descriptor) => void fcntl(descriptor, F_SETFD, 0),
      execve: (file, argv, environment) => {
        const strings = [file, ...argv, ...environment].map(terminated);
        const vector = (from: number, to: number): Uint8Array => {
          const addresses = strings.slice(from, to).map((string) => ffi.addressOf(string));
          return new Uint8Array(BigUint64Array.from([...addresses, 0n]).buffer);
        };
        const [path = terminated(file)] = strings;
        execve(path, vector(1, 1 + argv.length), vector(1 + argv.length, strings.length));
      },
      reapAllBut: (pid) => {
        const info = Buffer.alloc(siginfo.size);
        for (;;) {
          info.fill(0);
          // Looks first: a status once taken is lost to the runtime, and with it the program's end.
          if (waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return;
          const dead = info.readInt32LE(siginfo.pid);
          if (dead === 0 || dead === pid) return;
          if (waitid(P_PID, dead, info, WEXITED | WNOHANG) !== 0) return;
        }
      },
      restoreDefault: (signal) => {
        const { sigaction } = ffi.open({ sigaction: ["i32", "i32", "pointer", "pointer"] });
        // All zero it means SIG_DFL; glibc's structure has 152 bytes, as musl's.
        sigaction?.(signal, Buffer.alloc(256), Buffer.alloc(256));
      },
    };
  } catch {
    return undefined;
  }
}

function terminated(string: Uint8Array): Uint8Array {
  return Buffer.concat([string, Buffer.of(0)]);
}

/** `node:ffi` as far as it is used; its definitions were renamed between 26.1 and 26.10, so both names are given. */
interface NodeFfi {
  dlopen(library: null, definitions: object): { readonly functions: Readonly<Record<string, Foreign>> };
  getRawPointer(bytes: Uint8Array): bigint;
}

function nodeFfi(): Ffi | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is not so shows when it is tried
  const ffi = process.getBuiltinModule("node:ffi") as NodeFfi | undefined;
  if (ffi === undefined) return undefined;
  const define = ([result, ...parameters]: Signature): object => ({
    result,
    parameters,
    return: result,
    arguments: parameters,
  });
  return {
    open: (wanted) => ffi.dlopen(null, mapValues(wanted, define)).functions,
    addressOf: (bytes) => ffi.getRawPointer(bytes),
  };
}

/** `bun:ffi` as far as it is used. */
interface BunFfi {
  dlopen(library: string, definitions: object): { readonly symbols: Readonly<Record<string, Foreign>> };
  ptr(bytes: Uint8Array): number;
}

function bunFfi(): Ffi | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is not so shows when it is tried
  const ffi = process.getBuiltinModule("bun:ffi") as BunFfi | undefined;
  if (ffi === undefined) return undefined;
  const bun = (type: Type): string => (type === "pointer" ? "ptr" : type);
  const define = ([result, ...parameters]: Signature): object => ({ returns: bun(result), args: parameters.map(bun) });
  return {
    open: (wanted) => {
      const definitions = mapValues(wanted, define);
      try {
        return ffi.dlopen("libc.so.6", definitions).symbols;
      } catch {
        return ffi.dlopen(`libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`, definitions).symbols;
      }
    },
    addressOf: (bytes) => BigInt(ffi.ptr(bytes)),
  };
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
