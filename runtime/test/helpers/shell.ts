/** Finds the program with the runtime of the executables for Linux that runs any script, and skips tests without it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { notLinux, skipBecause } from "../../../test/helpers/skip.ts";

/** The path of a program with the runtime of the executables for Linux. It runs the script that its first argument names. */
export const shell: string = join(import.meta.dirname, "../../../.cache/runtime/shell");

/** Skips the tests of a file if the shell is not built. */
export function skipWithoutShell(): void {
  skipBecause(notLinux ?? (existsSync(shell) ? undefined : "needs what node runtime/build/runtime.mjs --shell makes"));
}
