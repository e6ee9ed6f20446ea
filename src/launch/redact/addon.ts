import { openAddon } from "../exec/addon.ts";

/** What masking needs of the system, by `addon.c` (Linux). Functions that give a number give the system's error there. */
export interface RedactAddon {
  /** pipe2(2), close-on-exec. @returns the ends for reading and for writing */
  readonly makePipe: () => readonly [number, number] | number;
  /** Another number for the same open file, from 3 on, close-on-exec. @returns -1 where there is none */
  readonly duplicate: (descriptor: number) => number;
  /** Whether nobody reads any more from the pipe, socket or terminal. 1 or 0 */
  readonly hasNoReader: (descriptor: number) => number;
  /** Whether two descriptors of a regular file are one open file, with one offset. 1 or 0 */
  readonly isSameOpenFile: (one: number, other: number) => number;
  /** _exit(2): without waiting for threads that a write has blocked. */
  readonly exitNow: (status: number) => never;
}

/** @returns undefined where there is none: see {@link openAddon} */
export function loadRedactAddon(): RedactAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openAddon("-redact") as RedactAddon | undefined;
}
