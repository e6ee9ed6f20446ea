import type { ChildProcess } from "node:child_process";
import crossSpawn from "cross-spawn";
import { systemErrorCode } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Program } from "../types.ts";
import type { IpcChannel } from "./ipc.ts";

/** What the process gets as its descriptors 0, 1, 2 …: one of this process's, nothing (/dev/null), a pipe, an IPC channel. */
export type Descriptors = readonly (number | "ignore" | "pipe" | "ipc")[];

/**
 * Starts a process beside this one, by cross-spawn: it finds the interpreters of scripts on Windows. The event loop
 * does not turn meanwhile, elsewhere than there.
 *
 * @returns the process, or the code of the system's error if it could not be started
 */
export async function startChild(
  program: Program,
  stdio: Descriptors,
  ipc: IpcChannel | undefined,
): Promise<ChildProcess | string> {
  const isWindows = process.platform === "win32";
  const [argv0, ...rest] = program.argv;
  const { file, args, ...verbatim } = isWindows
    ? (await import("../windows/command-line.ts")).startedOnWindows(program)
    : { file: program.file, args: rest };
  const tellWholeStatus = isBun && isWindows ? (await import("../windows/exit-status.ts")).tellWholeStatus : undefined;
  // Bun copies the environment into an object in which `__proto__` would be that of the object. Nothing here needs it.
  if (isBun && program.environment.has("__proto__")) Reflect.deleteProperty(Object.prototype, "__proto__");
  try {
    const child = crossSpawn(file, args, {
      ...verbatim,
      stdio: [...stdio],
      env: Object.fromEntries(program.environment),
      // On Windows cross-spawn may start another program in its place, an interpreter.
      ...(!isWindows && { argv0 }),
      ...(ipc !== undefined && { serialization: ipc.serialization }),
    });
    if (isBun && child.pid !== undefined) tellWholeStatus?.(child);
    // Errors after the start concern single signals or messages; those who send them deal with them.
    if (child.pid !== undefined) return child.on("error", () => {});
    // Emitted in the next tick, before the event loop turns.
    throw await new Promise<Error>((resolve) => child.once("error", resolve));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined || (code.startsWith("ERR_") && code !== "ERR_ACCESS_DENIED")) throw error;
    return code;
  }
}
