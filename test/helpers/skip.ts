/** Skips tests that cannot run on this machine or with this program, and gives the reasons. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { beforeEach } from "vitest";
import { isNightly } from "./seed.ts";
import { addon, isStandalone } from "./sophia.ts";

/**
 * Skips the tests of the file or `describe` that calls this function, unless the reason is undefined. The reasons are printed at the
 * end of a run. `test.skipIf` would show none.
 */
export function skipBecause(reason: string | undefined): void {
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
}

/** Returns the reason why tests that need a command cannot run; undefined if the command succeeds with these arguments. */
export function notInstalled(command: string, ...args: readonly string[]): string | undefined {
  if (spawnSync(command, args).status === 0) return undefined;
  return `needs ${command}: \`${[command, ...args].join(" ")}\` fails`;
}

/** Returns the reason why tests that need these commands cannot run: the first that is in no folder of the PATH; undefined without one. */
export function missingCommand(...commands: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = commands.find((command) => folders.every((folder) => !existsSync(join(folder, command))));
  return missing === undefined ? undefined : `needs the command ${missing}`;
}

/** The reason why tests that preload code into sophia-run cannot run; undefined if they can. */
export const notPreloadable: string | undefined = isStandalone
  ? "NODE_OPTIONS has no effect on the stand-alone executable"
  : undefined;

/** The reason why tests of the package cannot run; undefined if they can. */
export const notPackage: string | undefined = isStandalone ? "this is about the package" : undefined;

/** The reason why tests that need Linux cannot run; undefined on Linux. */
export const notLinux: string | undefined = process.platform === "linux" ? undefined : "needs Linux";

/** The reason why tests that need the addons cannot run; undefined if the program under test has them. */
export const noAddon: string | undefined =
  isStandalone || existsSync(addon) ? undefined : "needs the addons, which are built where there is a C compiler";

/** The reason why expensive tests do not run for each change; undefined in a nightly run. */
export const notNightly: string | undefined = isNightly ? undefined : "runs at night, or with PROPERTY_SEED";
