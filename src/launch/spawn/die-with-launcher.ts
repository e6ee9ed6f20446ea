import { readlinkSync } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import { findHelper } from "../program/look-up.ts";
import type { Program } from "../types.ts";

/**
 * The program behind setpriv(1): the kernel sends it SIGKILL when this process ends before it, even by SIGKILL (Linux;
 * prctl(2)). On Windows libuv's job object does that for every program.
 *
 * @throws SophiaError (125) when setpriv is not installed
 */
export function dyingWithLauncher(program: Program): Program {
  if (process.platform === "win32") return program;
  const file = findHelper("setpriv", program.environment);
  if (file === undefined || isBusyBox(file)) {
    throw new SophiaError({
      code: "helper-missing",
      message: "--die-with-launcher needs setpriv of util-linux, which was not found",
      hint:
        process.platform === "linux"
          ? "install util-linux, or run without --die-with-launcher"
          : "run without --die-with-launcher",
    });
  }
  // It looks the command up again, as typed, and executes it in its own place: PID and argv[0] stay what they were.
  return { ...program, file, argv: ["setpriv", "--pdeathsig", "KILL", "--", ...program.argv] };
}

/** BusyBox has a program of the same name that lacks this option. */
function isBusyBox(path: string): boolean {
  try {
    return /(?:^|\/)busybox$/.test(readlinkSync(path));
  } catch {
    return false; // not a link
  }
}
