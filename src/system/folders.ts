import { mkdirSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` never returns where none can be made and the
 * system's error is ENOENT, such as in `/proc`.
 *
 * @param path absolute; what is there already, stays, and need not be a folder
 * @throws the system's error
 */
export function makeFolder(path: string, mode = 0o777): void {
  const parent = parentOf(path);
  if (make(path, mode) || parent === path) return;
  makeFolder(parent, mode);
  if (!make(path, mode)) mkdirSync(path, mode);
}

/** @returns false if the folder above it is missing */
function make(path: string, mode: number): boolean {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return false;
    if (code !== "EEXIST") throw error;
  }
  return true;
}
