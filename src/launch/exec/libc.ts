import type { Preparation } from "../preflight.ts";
import { isBun } from "../../system/runtime.ts";

/** The few functions of the C library that a launcher needs and JavaScript lacks (Linux). */
export interface Libc {
  /** Lets the descriptor stay open across execve (fcntl(2), F_SETFD). */
  readonly keepOnExec: (descriptor: number) => void;
  /**
   * execve(2) with bytes that need not be UTF-8. Signals that the runtime itself ignores have their default action in the
   * program.
   *
   * @param strings the file, the arguments and the variables, each ended by a NUL
   * @param argumentCount how many of them are arguments
   * @returns only when it has failed: the system's error number; 0 where the runtime does not tell it
   */
  readonly execve: (strings: Uint8Array, argumentCount: number) => number;
  /** Reaps every dead child but one, which is left to the runtime (waitid(2)). Needed of PID 1, who inherits orphans. */
  readonly reapAllBut: (pid: number) => void;
  /** Gives a signal its default action, whoever has set another (sigaction(2)). */
  readonly restoreDefault: (signal: number) => void;
}

/**
 * The C library of whichever runtime this is. In Node.js it is there from the start, in Bun it takes a while to load.
 *
 * @returns undefined where it cannot be called: its users do without
 */
export async function libcOf({ addon }: Preparation): Promise<Libc | undefined> {
  return isBun ? (await import("./libc-of-bun.ts")).loadLibcOfBun() : addon;
}
