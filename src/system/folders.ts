/** Makes folders, and finds the folders in which sophia-run keeps its cache and the user's settings. */
import { mkdirSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { systemErrorCode } from "./errors.ts";
import { parentOf, within } from "./paths.ts";

/**
 * Makes a folder, and the missing folders above it. Node's own option `recursive` never returns if mkdir(2) fails with
 * ENOENT, as it does in `/proc`. @param path an absolute path @throws the system's error
 */
export function makeFolder(path: string, mode = 0o777): void {
  const parent = parentOf(path);
  if (tryToMake(path, mode) || parent === path) return;
  makeFolder(parent, mode);
  // The parent exists now, so that any error, ENOENT as well, is final.
  if (!tryToMake(path, mode)) mkdirSync(path, mode);
}

/** Makes a folder, unless it exists. @returns false if the folder above it is missing @throws any other error */
function tryToMake(path: string, mode: number): boolean {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return false;
    if (code !== "EEXIST") throw error;
  }
  return true;
}

/**
 * Returns sophia-run's folder in the user's cache (XDG Base Directory Specification). Variables with relative paths are
 * ignored.
 */
export function cacheFolder(environment: Environment): string | undefined {
  return folderOf(environment, "XDG_CACHE_HOME", "LOCALAPPDATA", ".cache");
}

/** Returns sophia-run's folder below the user's configuration folder, such as `~/.config/sophia-run`. */
export function configFolder(environment: Environment): string | undefined {
  return folderOf(environment, "XDG_CONFIG_HOME", "APPDATA", ".config");
}

/**
 * Returns sophia-run's folder below a folder of the user.
 *
 * @param xdg the variable that names the user's folder @param windows the variable of Windows that names it
 * @param inHome the folder below HOME that is used if neither variable does
 * @returns undefined if no variable has an absolute path
 */
function folderOf(environment: Environment, xdg: string, windows: string, inHome: string): string | undefined {
  const absolutePathIn = (name: string, below?: string): string | undefined => {
    const path = environment.get(name) ?? "";
    if (!path.startsWith("/") && !/^[a-z]:[\\/]/i.test(path)) return undefined;
    return below === undefined ? path : within(path, below);
  };
  const userFolder =
    absolutePathIn(xdg) ??
    (process.platform === "win32" ? absolutePathIn(windows) : undefined) ??
    absolutePathIn("HOME", inHome);
  return userFolder === undefined ? undefined : within(userFolder, "sophia-run");
}
