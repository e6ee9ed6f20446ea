/** Makes folders, and finds the folders in which sophia-run keeps its cache and the user's settings. */
import { mkdirSync } from "node:fs";
import type { Environment } from "../core/model.ts";
import { systemErrorCode } from "./errors.ts";
import { parentOf, within } from "./paths.ts";
import { PRIVATE_UMASK, withUmask } from "./umask.ts";

/**
 * Makes a folder, and the missing folders above it. Node's own option `recursive` never returns if mkdir(2) fails with
 * ENOENT, as it does in `/proc`. @param path an absolute path @throws the system's error
 */
export function makeFolder(path: string): void {
  const parent = parentOf(path);
  if (tryToMakeFolder(path) || parent === path) return;
  makeFolder(parent);
  // The parent exists now, so that any error, ENOENT as well, is final.
  if (!tryToMakeFolder(path)) mkdirSync(path);
}

/** Does the same as {@link makeFolder}, and gives the folders that it makes to this user alone (0700). */
export function makePrivateFolder(path: string): void {
  withUmask(PRIVATE_UMASK, () => makeFolder(path));
}

/** Makes a folder, unless it exists. @returns false if the folder above it is missing @throws any other error */
function tryToMakeFolder(path: string): boolean {
  try {
    mkdirSync(path);
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
  return findUserFolder(environment, {
    xdgVariable: "XDG_CACHE_HOME",
    windowsVariable: "LOCALAPPDATA",
    folderInHome: ".cache",
  });
}

/** Returns sophia-run's folder below the user's configuration folder, such as `~/.config/sophia-run`. */
export function configFolder(environment: Environment): string | undefined {
  return findUserFolder(environment, {
    xdgVariable: "XDG_CONFIG_HOME",
    windowsVariable: "APPDATA",
    folderInHome: ".config",
  });
}

/** The variables that may name one of the user's folders, in the order in which they are tried. */
interface UserFolderNames {
  readonly xdgVariable: string;
  /** The variable that names the folder on Windows. Other systems ignore it. */
  readonly windowsVariable: string;
  /** The folder below HOME that is used if neither variable has an absolute path. */
  readonly folderInHome: string;
}

/** Returns sophia-run's folder below a folder of the user; undefined if no variable, not even HOME, has an absolute path. */
function findUserFolder(
  environment: Environment,
  { xdgVariable, windowsVariable, folderInHome }: UserFolderNames,
): string | undefined {
  const windowsFolder = process.platform === "win32" ? findAbsolutePath(environment, windowsVariable) : undefined;
  const namedFolder = findAbsolutePath(environment, xdgVariable) ?? windowsFolder;
  const home = findAbsolutePath(environment, "HOME");
  const userFolder = namedFolder ?? (home === undefined ? undefined : within(home, folderInHome));
  return userFolder === undefined ? undefined : within(userFolder, "sophia-run");
}

/** Returns the path in a variable; undefined if the variable is unset or has a relative path. */
function findAbsolutePath(environment: Environment, variable: string): string | undefined {
  const path = environment.get(variable) ?? "";
  return path.startsWith("/") || /^[a-z]:[\\/]/i.test(path) ? path : undefined;
}
