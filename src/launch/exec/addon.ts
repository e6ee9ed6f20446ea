import type { Libc } from "./libc.ts";

/** Where the bundle lies; the build puts it in. Sources that run as they are have no addon beside them. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** What the addon has beside what every runtime's C library has here. */
export interface Addon extends Libc {
  /** Makes reads and writes of the open file wait again (fcntl(2), F_SETFL without O_NONBLOCK). */
  readonly makeBlocking: (descriptor: number) => void;
}

/**
 * The C library by an addon for Node.js, `addon.c`: five kilobytes that need neither a certain version of Node.js nor of
 * the C library. It lies beside the bundle and is as trusted as that. Not through `require`, which would look for it in
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
