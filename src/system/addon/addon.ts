import { EVERYBODY_READS, EVERYBODY_WRITES } from "../permissions.ts";
import type { Addon } from "./libc.ts";
import { loader } from "./loaded.ts";

/** A folder of the package, bin/ or dist/; the build puts it in. Sources that run as they are have no addon near them. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/**
 * Returns the C library by `addon.c`; undefined if there is no addon for this system or processor, or Node.js was told to
 * load none (`--no-addons`, `--permission`).
 */
export function loadAddon(): Addon | undefined {
  if (loader !== undefined) return loader.addon;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openAddon("") as Addon | undefined;
}

/**
 * Loads one of the addons that the build compiles. It lies beside the bundle and is as trusted as that. Not by `require`,
 * which would look for it in half a dozen places first.
 *
 * @param name what its file's name has behind the platform's
 */
export function openAddon(name: string): unknown {
  const file = nativeFile(`${name}.node`);
  if (file === undefined) return undefined;
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
    return module.exports;
  } catch {
    return undefined;
  }
}

/**
 * Returns the path of a file that the build compiles for this system and processor, which may be missing.
 *
 * @param name what its name has behind the platform's
 */
export function nativeFile(name: string): string | undefined {
  if (process.platform !== "linux" || typeof SOPHIA_RUN_FOLDER === "undefined") return undefined;
  return `${SOPHIA_RUN_FOLDER}/../dist/linux-${process.arch}${name}`;
}

/** True if nothing is at the path; false if that cannot be told. Node's own functions compile at their first call. */
export function isMissing(path: string): boolean {
  return loader?.addon?.isMissing(path) === true;
}

/** True if the file can be executed; false if that cannot be told. */
export function isExecutable(path: string): boolean {
  return loader?.addon?.isExecutable(path) === true;
}

/**
 * Returns the text of a file that was found by search, if a short look shows that it counts; see `distrustOf`. Any other
 * file needs a closer look.
 *
 * @param isSecret no other user may read it, either
 */
export function readTrusted(path: string, folder: string, isSecret: boolean): string | undefined {
  const forbidden = EVERYBODY_WRITES | (isSecret ? EVERYBODY_READS : 0);
  const text = loader?.addon?.readTrusted(path, folder, forbidden);
  // Perhaps it is not UTF-8.
  return text?.includes("\uFFFD") === true ? undefined : text;
}
