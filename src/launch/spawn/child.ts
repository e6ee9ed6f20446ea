/** Starts the program as a child of Node.js (cross-spawn), and returns an error code if the system refuses it. */
import type { ChildProcess } from "node:child_process";
import crossSpawn from "cross-spawn";
import { codeOrThrow } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Program } from "../types.ts";
import type { IpcChannel } from "./ipc.ts";

/** For each descriptor of the program, from 0 on: a descriptor of this process, nothing (/dev/null), a new pipe, or an IPC channel. */
export type Descriptors = readonly (number | "ignore" | "pipe" | "ipc")[];

/** Returns the child, or the system's error code. It is a promise if Node.js reports the error later. */
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
    const { file, args, ...verbatim } = windows?.windowsSpawnArguments(program) ?? { file: program.file, args: rest };
    // Bun copies the environment into an object, where `__proto__` would set the prototype.
    if (isBun && program.environment.has("__proto__")) Reflect.deleteProperty(Object.prototype, "__proto__");
    try {
      const child = crossSpawn(file, args, {
        ...verbatim,
        stdio: [...stdio],
        env: Object.fromEntries(program.environment),
        // On Windows cross-spawn may start an interpreter, whose argv[0] must not be that of the program.
        ...(!isWindows && { argv0 }),
        ...(ipc !== undefined && { serialization: ipc.serialization }),
      });
      if (child.pid === undefined)
        return new Promise<Error>((resolve) => child.once("error", resolve)).then(systemCodeOf);
      emitWholeStatus?.(child);
      // Errors after the start are those of signals and messages, which their senders handle.
      return child.on("error", () => {});
    } catch (error) {
      return systemCodeOf(error);
    }
  };
}

/** Returns the error code of the system. @throws the error if it is one of Node.js, which is a fault of this program */
function systemCodeOf(error: unknown): string {
  const code = codeOrThrow(error);
  if (code.startsWith("ERR_") && code !== "ERR_ACCESS_DENIED") throw error;
  return code;
}
