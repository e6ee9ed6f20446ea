import { isBun } from "../../system/runtime.ts";
import type { Preparation } from "../types.ts";
import type { Libc } from "../../system/addon/libc.ts";

/**
 * The C library of whichever runtime this is. In Node.js it is there from the start, in Bun it takes a while to load.
 *
 * @returns undefined where it cannot be called: its users do without
 */
export async function loadLibc({ addon }: Preparation): Promise<Libc | undefined> {
  return isBun ? (await import("./libc-of-bun.ts")).loadLibcOfBun() : addon;
}
