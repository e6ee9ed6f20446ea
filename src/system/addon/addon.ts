import { attempt } from "../errors.ts";
import { WORLD_READABLE, WORLD_WRITABLE } from "../ownership.ts";
import { isThere } from "../paths.ts";
import type { Loader } from "../../../native/loader-parts.ts";
import type { Addon } from "../../../native/system.ts";

/** A parameter of the function around each file of the bundle. */
declare const SOPHIA_RUN_LOADER: Loader | undefined;
/** The package's bin/ or dist/, defined by the build; sources that run unbundled have no addon. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** Undefined in unbundled sources and in a stand-alone executable. */
export const loader: Loader | undefined = typeof SOPHIA_RUN_LOADER === "undefined" ? undefined : SOPHIA_RUN_LOADER;

/** Returns the addon; undefined if there is none for this platform, or Node.js loads none (`--no-addons`, `--permission`). */
export function loadAddon(): Addon | undefined {
  if (loader !== undefined) return loader.addon;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these, and is built with this file
  return openAddon("") as Addon | undefined;
}

/** Loads an addon of the package. `require` would look in half a dozen places first. @param name as for `nativeFile` */
export function openAddon(name: string): unknown {
  return loader?.openAddon === undefined ? loadModule(nativeFile(`${name}.node`)) : loader.openAddon(name);
}

/** Loads an addon's file; undefined if there is none or the system refuses it. */
export function loadModule(file: string | undefined): unknown {
  if (file === undefined) return undefined;
  const module: { exports: unknown } = { exports: {} };
  return attempt(() => (process.dlopen(module, file), module.exports));
}

/** Returns the path of a compiled file of the package, which may be missing. @param name the part behind the platform's name */
export function nativeFile(name: string): string | undefined {
  if (loader?.nativeFile !== undefined) return loader.nativeFile(name);
  if (process.platform !== "linux" || typeof SOPHIA_RUN_FOLDER === "undefined") return undefined;
  return `${SOPHIA_RUN_FOLDER}/../dist/linux-${process.arch}${name}`;
}

/** Returns true if nothing is at the path, false also without the addon. Node's own functions would be compiled first. */
export function isMissing(path: string): boolean {
  return loader?.addon?.isMissing(path) === true;
}

/** Returns true for an entry of any kind, also a broken link; a path without one costs little. */
export function isFound(path: string): boolean {
  return !isMissing(path) && isThere(path);
}

export function isExecutable(path: string): boolean {
  return loader?.addon?.isExecutable(path) === true;
}

/** Returns the text of a file found by search, if it is certain to be trusted. `isSecret`: no other user may read it. */
export function readTrusted(path: string, folder: string, isSecret: boolean): string | undefined {
  const forbidden = WORLD_WRITABLE | (isSecret ? WORLD_READABLE : 0);
  const text = loader?.addon?.readTrusted(path, folder, forbidden);
  // The file may not be UTF-8.
  return text?.includes("\uFFFD") === true ? undefined : text;
}
