/**
 * Passes on exit statuses of 32 bits on Windows, in the executable that Bun makes. Bun itself passes on only eight bits, so that the status
 * 256 would become 0, a success.
 */
import type { ChildProcess } from "node:child_process";

/** Functions of kernel32.dll. A result of 0, also as a handle, means a failure. */
interface Kernel {
  readonly OpenProcess: (access: number, inherit: number, pid: number) => number;
  readonly GetExitCodeProcess: (process: number, status: Uint32Array) => number;
  readonly ExitProcess: (status: number) => void;
}

/** The permission that GetExitCodeProcess needs. */
const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;

/** Makes a child emit its exit status with all 32 bits. */
export function emitWholeStatus(child: ChildProcess): void {
  const kernel = openKernel();
  // The status stays available as long as there is a handle, which is never closed.
  const handle = kernel?.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, child.pid ?? 0) ?? 0;
  if (kernel === undefined || handle === 0) return;
  const emit = child.emit.bind(child);
  child.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    const status = new Uint32Array(1);
    const isExit = event === "exit" && typeof args[0] === "number";
    if (isExit && kernel.GetExitCodeProcess(handle, status) !== 0) args[0] = status[0];
    return emit(event, ...args);
  };
}

/** Ends this process with a status of 32 bits. */
export function exitWith(status: number): never {
  process.emit("exit", status);
  openKernel()?.ExitProcess(status);
  return process.exit(status);
}

/** Opens kernel32.dll. Returns undefined if Bun cannot call C functions: it compiles each call, and may have no compiler for this processor. */
function openKernel(): Kernel | undefined {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- dlopen of Bun returns these functions, as declared in its argument
    const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as {
      readonly dlopen: (file: string, functions: object) => { readonly symbols: Kernel };
    };
    return dlopen("kernel32.dll", {
      OpenProcess: { args: ["u32", "i32", "u32"], returns: "ptr" },
      GetExitCodeProcess: { args: ["ptr", "ptr"], returns: "i32" },
      ExitProcess: { args: ["u32"], returns: "void" },
    }).symbols;
  } catch {
    return undefined;
  }
}
