/** Starting a process beside this one. */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { Program } from "../helpers.ts";
import type { IpcChannel } from "./ipc.ts";
import { isBun } from "../../system/runtime.ts";
import { recordOf } from "../exec/record.ts";
import { systemErrorCode } from "../../system/errors.ts";

/** What the process gets as its descriptors 0, 1, 2 …: one of this process's, nothing (/dev/null), an IPC channel. */
export type Descriptors = readonly (number | "ignore" | "ipc")[];

/** How a process ended. */
export interface End {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a process is given beside the program. */
export interface Surroundings {
  readonly stdio: Descriptors;
  readonly ipc: IpcChannel | undefined;
  /** Called once, as soon as the process is reaped. */
  readonly onEnd: (end: End) => void;
}

/** A process that runs. */
export interface Child {
  readonly pid: number;
  /** Where it has an IPC channel: what sends and receives. */
  readonly channel?: ChildProcess | undefined;
}

/** @returns the process, or the code of the system's error if it could not be started */
export async function startChild(program: Program, { stdio, ipc, onEnd }: Surroundings): Promise<Child | string> {
  const [argv0, ...args] = program.argv;
  // Bun copies the environment into an object in which `__proto__` would be that of the object. Nothing here needs it.
  if (isBun && program.environment.has("__proto__")) Reflect.deleteProperty(Object.prototype, "__proto__");
  const options: SpawnOptions = {
    stdio: [...stdio],
    env: recordOf(program.environment),
    ...(process.platform !== "win32" && { argv0 }),
    ...(ipc !== undefined && { serialization: ipc.serialization }),
  };
  // cross-spawn finds and quotes as Windows needs it; elsewhere it would hand on to Node.js what it got.
  const spawn =
    process.platform === "win32"
      ? (await import("cross-spawn")).default
      : process.getBuiltinModule("node:child_process").spawn;
  let error: unknown;
  try {
    const child = spawn(program.file, args, options);
    if (child.pid !== undefined) {
      child.once("exit", (status, signal) => onEnd({ status, signal }));
      // Errors after the start concern single signals or messages; those who send them deal with them.
      child.on("error", () => {});
      return { pid: child.pid, ...(ipc !== undefined && { channel: child }) };
    }
    // Emitted in the next tick, before the event loop turns.
    error = await new Promise<Error>((resolve) => child.once("error", resolve));
  } catch (thrown) {
    error = thrown;
  }
  const code = systemErrorCode(error);
  if (code === undefined || (code.startsWith("ERR_") && code !== "ERR_ACCESS_DENIED")) throw error;
  return code;
}
