import type { ChildProcess } from "node:child_process";
import crossSpawn from "cross-spawn";
import { codeOrThrow } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Program } from "../types.ts";
import type { IpcChannel } from "./ipc.ts";

/** The child's descriptors 0, 1, 2 …: one of this process, nothing (/dev/null), a pipe, an IPC channel. */
export type Descriptors = readonly (number | "ignore" | "pipe" | "ipc")[];

/** Returns the child, or the system's error code; Node.js reports some of these later. */
export type StartChild = (
  program: Program,
  stdio: Descriptors,
  ipc: IpcChannel | undefined,
) => ChildProcess | string | Promise<string>;

export async function loadStartChild(): Promise<StartChild> {
  const isWindows = process.platform === "win32";
  const windows = isWindows ? await import("../windows/windows-command-line.ts") : undefined;
  const emitWholeStatus = isBun && isWindows ? (await import("../windows/exit-status.ts")).emitWholeStatus : undefined;
  return (program, stdio, ipc) => {
    const [argv0, ...rest] = program.argv;
    const { file, args, ...verbatim } = windows?.startedOnWindows(program) ?? { file: program.file, args: rest };
    // Bun copies the environment into an object, where `__proto__` would set the prototype.
    if (isBun && program.environment.has("__proto__")) Reflect.deleteProperty(Object.prototype, "__proto__");
    try {
      const child = crossSpawn(file, args, {
        ...verbatim,
        stdio: [...stdio],
        env: Object.fromEntries(program.environment),
        // On Windows cross-spawn may start an interpreter instead.
        ...(!isWindows && { argv0 }),
        ...(ipc !== undefined && { serialization: ipc.serialization }),
      });
      if (child.pid === undefined) return new Promise<Error>((resolve) => child.once("error", resolve)).then(codeOf);
      emitWholeStatus?.(child);
      // Senders of signals and messages handle the errors after the start.
      return child.on("error", () => {});
    } catch (error) {
      return codeOf(error);
    }
  };
}

function codeOf(error: unknown): string {
  const code = codeOrThrow(error);
  if (code.startsWith("ERR_") && code !== "ERR_ACCESS_DENIED") throw error;
  return code;
}
