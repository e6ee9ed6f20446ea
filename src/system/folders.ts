import { mkdirSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { systemErrorCode } from "./errors.ts";
import { parentOf, within } from "./paths.ts";

/**
 * Makes a folder and the missing ones above an absolute path. Node's own `recursive` never returns if mkdir(2) fails with
 * ENOENT, as in `/proc`. @throws the system's error
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

/** Returns sophia-run's folder in the user's cache (XDG Base Directory Specification). Relative paths are ignored. */
export function cacheFolder(environment: Environment): string | undefined {
  return folderOf(environment, "XDG_CACHE_HOME", "LOCALAPPDATA", ".cache");
}

/** Returns sophia-run's folder for the user's settings. */
export function configFolder(environment: Environment): string | undefined {
  return folderOf(environment, "XDG_CONFIG_HOME", "APPDATA", ".config");
}

function folderOf(environment: Environment, xdg: string, windows: string, inHome: string): string | undefined {
  const at = (name: string, below?: string): string | undefined => {
    const path = environment.get(name) ?? "";
    if (!path.startsWith("/") && !/^[a-z]:[\\/]/i.test(path)) return undefined;
    return below === undefined ? path : within(path, below);
  };
  const above = at(xdg) ?? (process.platform === "win32" ? at(windows) : undefined) ?? at("HOME", inHome);
  return above === undefined ? undefined : within(above, "sophia-run");
}
