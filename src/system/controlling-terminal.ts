import { closeSync, constants, openSync } from "node:fs";
import { attempt } from "./errors.ts";

/**
 * Returns true if this process has a controlling terminal (on Windows: a console). Its standard input and output may be others.
 */
export function hasTerminal(): boolean {
  const isWindows = process.platform === "win32";
  const path = isWindows ? "CONIN$" : "/dev/tty";
  const opened = attempt(() => openSync(path, isWindows ? constants.O_RDONLY : constants.O_RDWR | constants.O_NOCTTY));
  if (opened === undefined) return false;
  closeSync(opened);
  return true;
}
