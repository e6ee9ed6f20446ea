import type { Addon, Libc } from "../../system/addon/libc.ts";
import { caller } from "../../system/before-bun.ts";
import { openEmbeddedAddon } from "../standalone/embedded-addon.ts";

/** The C library in the stand-alone executable. @returns undefined where there is none, as `openEmbeddedAddon` */
export function loadLibcOfBun(): Libc | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  const addon = openEmbeddedAddon("") as Addon | undefined;
  for (const signal of caller()?.ignored ?? []) addon?.ignoreOnExec(signal);
  return addon;
}
