import type { Addon } from "./libc.ts";

/** Where the bundle lies; the build puts it in. Sources that run as they are have no addon beside them. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/**
 * The C library by an addon for Node.js, `addon.c`: five kilobytes that need neither a certain version of Node.js nor of
 * the C library. It lies beside the bundle and is as trusted as that. Not by `require`, which would look for it in
 * half a dozen places first.
 *
 * @returns undefined where there is none for this system or processor, or where Node.js was told to load none
 *   (`--no-addons`, `--permission`)
 */
export function loadAddon(): Addon | undefined {
  if (process.platform !== "linux" || typeof SOPHIA_RUN_FOLDER === "undefined") return undefined;
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, `${SOPHIA_RUN_FOLDER}/linux-${process.arch}.node`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
    return module.exports as Addon;
  } catch {
    return undefined;
  }
}
