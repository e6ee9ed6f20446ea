import { caller } from "../../system/before-bun.ts";
import { stopIgnoring } from "./execve.ts";
import type { Libc } from "../../system/addon/libc.ts";

/** `bun:ffi` as far as it is used. A pointer is a buffer, passed as its address. */
interface BunFfi {
  dlopen(library: string, definitions: object): { readonly symbols: Readonly<Record<string, Foreign>> };
  ptr(bytes: Uint8Array): number;
}

type Foreign = (...args: readonly (number | Uint8Array)[]) => unknown;
type Type = "i32" | "u32" | "u64" | "ptr";

/** Of functions by their names: result and parameters. */
type Signatures = Readonly<Record<string, readonly [Type, ...Type[]]>>;

const SIGNATURES: Signatures = {
  getpid: ["i32"],
  fcntl: ["i32", "i32", "i32", "i32"],
  execve: ["i32", "ptr", "ptr", "ptr"],
  waitid: ["i32", "i32", "u32", "ptr", "i32"],
  sigaction: ["i32", "i32", "ptr", "ptr"],
  prctl: ["i32", "i32", "u64"],
};

/** Constants and a layout that all 64-bit Linux architectures share. */
const F_SETFD = 2;
/** The function comes first; glibc's structure has 152 bytes, as musl's. */
const SIGACTION_BYTES = 256;
const SIG_IGN = 1;
const PR_SET_DUMPABLE = 4;
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 0x1;
const WEXITED = 0x4;
const WNOWAIT = 0x1000000;
const SIGINFO = { size: 128, pid: 16 } as const;

/**
 * The C library by `bun:ffi`, in the stand-alone executable.
 *
 * @returns undefined where there is none for this system or processor, or where the interface, which is
 *   experimental, has changed: the functions are tried before they are returned
 */
export function loadLibcOfBun(): Libc | undefined {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return undefined;
  try {
    const ffi = bunFfi();
    const { getpid, fcntl, execve, waitid, sigaction, prctl } = openLibc(SIGNATURES);
    if (getpid === undefined || fcntl === undefined || execve === undefined) return undefined;
    if (waitid === undefined || sigaction === undefined || prctl === undefined) return undefined;
    const ignore = Buffer.alloc(SIGACTION_BYTES, 0);
    ignore.writeUInt8(SIG_IGN);
    if (getpid() !== process.pid || fcntl(-1, F_SETFD, 0) !== -1) return undefined;
    return {
      keepOnExec: (descriptor) => void fcntl(descriptor, F_SETFD, 0),
      execve: (strings, argumentCount) => {
        stopIgnoring();
        for (const signal of caller()?.ignored ?? []) sigaction(signal, ignore, Buffer.alloc(SIGACTION_BYTES));
        const addresses = addressesOf(strings, BigInt(ffi.ptr(strings)));
        const vector = (from: number, to?: number): Uint8Array =>
          new Uint8Array(BigUint64Array.from([...addresses.slice(from, to), 0n]).buffer);
        execve(strings, vector(1, 1 + argumentCount), vector(1 + argumentCount));
        return 0;
      },
      makeUndumpable: () => void prctl(PR_SET_DUMPABLE, 0),
      reapAllBut: (pid) => {
        const info = Buffer.alloc(SIGINFO.size);
        for (;;) {
          info.fill(0);
          // Looks first: a status once taken is lost to the runtime, and with it the program's end.
          if (waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return;
          const dead = info.readInt32LE(SIGINFO.pid);
          if (dead === 0 || dead === pid) return;
          if (waitid(P_PID, dead, info, WEXITED | WNOHANG) !== 0) return;
        }
      },
    };
  } catch {
    return undefined;
  }
}

function bunFfi(): BunFfi {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever uses it tries it
  return process.getBuiltinModule("bun:ffi") as BunFfi;
}

/** Functions of the C library. @throws where there is no such interface */
export function openLibc(signatures: Signatures): Readonly<Record<string, Foreign>> {
  const ffi = bunFfi();
  const definitions = Object.fromEntries(
    Object.entries(signatures).map(([name, [returns, ...args]]) => [name, { returns, args }]),
  );
  try {
    return ffi.dlopen("libc.so.6", definitions).symbols;
  } catch {
    return ffi.dlopen(`libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`, definitions).symbols;
  }
}

/** Where each of the strings begins, which a NUL ends each. */
function addressesOf(strings: Uint8Array, address: bigint): readonly bigint[] {
  const addresses: bigint[] = [];
  for (let start = 0; start < strings.length; start = strings.indexOf(0, start) + 1) {
    addresses.push(address + BigInt(start));
  }
  return addresses;
}
