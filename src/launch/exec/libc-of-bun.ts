import type { Addon, Libc } from "../../system/addon/libc.ts";
import { caller } from "../../system/before-bun.ts";
import { openEmbeddedAddon } from "../standalone/embedded-addon.ts";

/** The addon of the stand-alone executable. @returns undefined where there is none, as `openEmbeddedAddon` */
export function addonOfBun(): Addon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openEmbeddedAddon("") as Addon | undefined;
}

/** The C library in the stand-alone executable. */
export function loadLibcOfBun(): Libc | undefined {
  const addon = addonOfBun();
  for (const signal of caller()?.ignored ?? []) addon?.ignoreOnExec(signal);
  return addon;
}
