/** Finds out whether the user can be asked at a terminal. */
import { closeSync, constants, openSync } from "node:fs";
import { attempt } from "./errors.ts";

/**
 * Returns true if this process has a controlling terminal (on Windows: a console), even if its standard input and output are
 * redirected.
 */
export function hasTerminal(): boolean {
  const isWindows = process.platform === "win32";
  const path = isWindows ? "CONIN$" : "/dev/tty";
  const flags = isWindows ? constants.O_RDONLY : constants.O_RDWR | constants.O_NOCTTY;
  const descriptor = attempt(() => openSync(path, flags));
  if (descriptor === undefined) return false;
  closeSync(descriptor);
  return true;
}
