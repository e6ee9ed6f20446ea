import type { Addon } from "./libc.ts";
import { loader } from "./loaded.ts";
import { EVERYBODY_READS, EVERYBODY_WRITES } from "../permissions.ts";

/** A folder of the package, bin/ or dist/; the build puts it in. Sources that run as they are have no addon near them. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/**
 * The C library by an addon for Node.js, `addon.c`: some kilobytes that need neither a certain version of Node.js nor of
 * the C library.
 *
 * @returns undefined where there is none for this system or processor, or where Node.js was told to load none
 *   (`--no-addons`, `--permission`)
 */
export function loadAddon(): Addon | undefined {
  if (loader !== undefined) return loader.addon;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openAddon("") as Addon | undefined;
}

/**
 * One of the addons that the build compiles. It lies beside the bundle and is as trusted as that. Not by `require`, which
 * would look for it in half a dozen places first.
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
 * The path of a file that the build compiles for this system and processor, which may be missing.
 *
 * @param name what its name has behind the platform's
 * @returns undefined where there can be none
 */
export function nativeFile(name: string): string | undefined {
  if (process.platform !== "linux" || typeof SOPHIA_RUN_FOLDER === "undefined") return undefined;
  return `${SOPHIA_RUN_FOLDER}/../dist/linux-${process.arch}${name}`;
}

/** Whether nothing is at the path; false where that cannot be told so. Node's own functions compile at their first call. */
export function isMissing(path: string): boolean {
  return loader?.addon?.isMissing(path) === true;
}

/** Whether the file can be executed; false where that cannot be told so. */
export function isExecutable(path: string): boolean {
  return loader?.addon?.isExecutable(path) === true;
}

/**
 * The text of a file that was found by search, where a short look shows that it counts; see `distrustOf`.
 *
 * @param folder in which it was found
 * @param isSecret whether nobody else may read it, either
 * @returns undefined where the file, if there is one, needs a closer look
 */
export function readTrusted(path: string, folder: string, isSecret: boolean): string | undefined {
  const text = loader?.addon?.readTrusted(
    path,
    folder,
    isSecret ? EVERYBODY_READS | EVERYBODY_WRITES : EVERYBODY_WRITES,
  );
  // Perhaps it is not UTF-8.
  return text?.includes("\uFFFD") === true ? undefined : text;
}
