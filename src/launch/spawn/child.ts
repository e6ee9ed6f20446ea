/**
 * Starts a program as a child process by cross-spawn, which is `spawn` of Node.js with the rules of Windows. start-child.ts uses this
 * file if the program is not started by a monitor.
 */
import type { ChildProcess } from "node:child_process";
import crossSpawn from "cross-spawn";
import { codeOrThrow } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Program } from "../types.ts";
import type { IpcChannel } from "./ipc.ts";

/** For each descriptor of the program, from 0 on: a descriptor of this process, nothing (/dev/null), a new pipe, or an IPC channel. */
export type Descriptors = readonly (number | "ignore" | "pipe" | "ipc")[];

/** Starts a program. @returns the child, or the code of the system's error; a promise of the code if Node.js reports the error later */
export type StartChild = (
  program: Program,
  stdio: Descriptors,
  ipc: IpcChannel | undefined,
) => ChildProcess | string | Promise<string>;

/** Loads the code for this system, so that the returned function starts a program without waiting. */
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
        // On Windows cross-spawn may start an interpreter, which must not get the program's argv[0].
        ...(!isWindows && { argv0 }),
        ...(ipc !== undefined && { serialization: ipc.serialization }),
      });
      if (child.pid === undefined)
        return new Promise<Error>((resolve) => child.once("error", resolve)).then(systemCodeOf);
      emitWholeStatus?.(child);
      // Later errors concern signals and messages, and the code that sends these handles their errors.
      return child.on("error", () => {});
    } catch (error) {
      return systemCodeOf(error);
    }
  };
}

/**
 * Returns the error code of the system.
 *
 * @throws the given error if Node.js itself has made it (`ERR_…`), since it is then a fault of this code. ERR_ACCESS_DENIED is not: the
 *   user has forbidden the start by an option of Node.js.
 */
function systemCodeOf(error: unknown): string {
  const code = codeOrThrow(error);
  if (code.startsWith("ERR_") && code !== "ERR_ACCESS_DENIED") throw error;
  return code;
}
