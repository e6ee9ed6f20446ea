import { mkdirSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { parentOf } from "./paths.ts";

/**
 * Makes a folder and those above it that are missing. Node.js' own `recursive` never comes back from a place where none
 * can be made and the system says that something is missing, such as `/proc`.
 *
 * @param path absolute; what is there already, stays, and need not be a folder
 * @param mode of those that are made
 * @throws the system's error
 */
export function makeFolder(path: string, mode = 0o777): void {
  const parent = parentOf(path);
  if (make(path, mode) || parent === path) return;
  makeFolder(parent, mode);
  if (!make(path, mode)) mkdirSync(path, mode);
}

/** @returns whether it is there; false where what is above it is not */
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
