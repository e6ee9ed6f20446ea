import { mkdirSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";

/**
 * Makes a folder and the missing folders above it; an existing file or folder stays. Node's own `recursive` never returns if
 * mkdir(2) fails with ENOENT, as in `/proc`.
 *
 * @param path absolute
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
