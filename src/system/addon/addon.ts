/**
 * The addon (native/system.c): system calls that Node.js lacks, and faster versions of others. The loader loads it once and
 * hands it to the bundle. Without the addon, the functions here find nothing out (they return false or undefined), and
 * their callers use the slower functions of Node.js.
 */
import { attempt } from "../errors.ts";
import { WORLD_READABLE, WORLD_WRITABLE } from "../ownership.ts";
import { entryExists } from "../paths.ts";
import type { Loader } from "../../../native/loader-parts.ts";
import type { Addon } from "../../../native/system.ts";

/** The loader, which is a parameter of the function around each file of the bundle. */
declare const SOPHIA_RUN_LOADER: Loader | undefined;
/** The folder bin/ or dist/ of the package. The build defines it; sources that run unbundled have no addon. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** The loader of the package or of the executable for Linux; undefined in unbundled sources and in other executables. */
export const loader: Loader | undefined = typeof SOPHIA_RUN_LOADER === "undefined" ? undefined : SOPHIA_RUN_LOADER;

/**
 * Returns the addon; undefined if there is none for this platform, or Node.js may not load it (`--no-addons`,
 * `--permission`).
 */
export function loadAddon(): Addon | undefined {
  if (loader !== undefined) return loader.addon;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these, and is built with this file
  return openAddon("") as Addon | undefined;
}

/**
 * Loads a compiled addon of the package by its path, since `require` would look in half a dozen places first.
 * @param name as for `nativeFilePath`
 */
export function openAddon(name: string): unknown {
  return loader?.openAddon === undefined ? loadAddonFile(nativeFilePath(`${name}.node`)) : loader.openAddon(name);
}

/** Loads an addon from a file; undefined if there is none, or the system refuses it. */
export function loadAddonFile(file: string | undefined): unknown {
  if (file === undefined) return undefined;
  const module: { exports: unknown } = { exports: {} };
  return attempt(() => (process.dlopen(module, file), module.exports));
}

/**
 * Returns the path of a compiled file of the package, which may not exist.
 * @param name the part behind the platform's name: `-monitor` for `linux-x64-monitor`
 */
export function nativeFilePath(name: string): string | undefined {
  if (loader?.nativeFile !== undefined) return loader.nativeFile(name);
  if (process.platform !== "linux" || typeof SOPHIA_RUN_FOLDER === "undefined") return undefined;
  return `${SOPHIA_RUN_FOLDER}/../dist/linux-${process.arch}${name}`;
}

/**
 * Returns true if nothing is at the path. Returns false if something is, and also without the addon. It is used because Node's
 * own functions would first be compiled.
 */
export function isMissing(path: string): boolean {
  return loader?.addon?.isMissing(path) === true;
}

/** Returns true for an entry of any kind, even a broken link. A path without an entry costs little. */
export function isPresent(path: string): boolean {
  return !isMissing(path) && entryExists(path);
}

export function isExecutable(path: string): boolean {
  return loader?.addon?.isExecutable(path) === true;
}

/**
 * Returns the text of a file that was found by search, if the addon is certain that the file is trusted. Otherwise returns
 * undefined, and the caller checks it in detail. @param isSecret true if no other user may be able to read the file
 */
export function readTrusted(path: string, folder: string, isSecret: boolean): string | undefined {
  const forbiddenMode = WORLD_WRITABLE | (isSecret ? WORLD_READABLE : 0);
  const text = loader?.addon?.readTrusted(path, folder, forbiddenMode);
  // U+FFFD may mean that the file is not UTF-8, which the caller must report.
  return text?.includes("\uFFFD") === true ? undefined : text;
}
