import { execFileSync } from "node:child_process";
import { join } from "node:path";

const build = join(import.meta.dirname, "../../scripts/build/runtime.mjs");

/** Builds the runtime of the executable for Linux. @returns the path of a program that runs a script in it */
export function buildShell(): string {
  return execFileSync(process.execPath, [build, "--shell"], { encoding: "utf8", timeout: 600_000 }).trim();
}
