import { existsSync } from "node:fs";
import { join } from "node:path";
import { notLinux, skipBecause } from "../../../test/helpers/skip.ts";

/** The runtime of the executables for Linux, with the script of its first argument as its program. */
export const shell: string = join(import.meta.dirname, "../../../.cache/runtime/shell");

/** Skips the tests of a file where the shell was not built. */
export function needShell(): void {
  skipBecause(notLinux ?? (existsSync(shell) ? undefined : "needs what node runtime/build/runtime.mjs --shell makes"));
}
