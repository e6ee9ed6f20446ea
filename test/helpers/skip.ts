import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { beforeEach } from "vitest";
import { isNightly } from "./seed.ts";
import { addon, isStandalone } from "./sophia.ts";

/**
 * Skips the tests of the file or `describe` that calls it, unless `reason` is undefined. The end of a run lists the
 * reasons; `test.skipIf` would show none.
 */
export function skipBecause(reason: string | undefined): void {
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
}

/** Why tests that need a command cannot run; undefined where it ends with status 0, called with these arguments. */
export function notInstalled(command: string, ...args: readonly string[]): string | undefined {
  if (spawnSync(command, args).status === 0) return undefined;
  return `needs ${command}: \`${[command, ...args].join(" ")}\` fails`;
}

/** Why tests that put code into sophia-run cannot run; undefined where they can. */
export const notPreloadable: string | undefined = isStandalone
  ? "NODE_OPTIONS has no effect on the stand-alone executable"
  : undefined;

/** Why tests of what npm installs cannot run; undefined where they can. */
export const notPackage: string | undefined = isStandalone ? "this is about the package" : undefined;

/** Why tests of what only Linux does cannot run; undefined on Linux. */
export const notLinux: string | undefined = process.platform === "linux" ? undefined : "needs Linux";

/** Why tests of what the addons are needed for cannot run; undefined if the program under test has them. */
export const noAddon: string | undefined =
  isStandalone || existsSync(addon) ? undefined : "needs the addons, which are built where there is a C compiler";

/** Why tests that cost more than they prove of one change do not run; undefined in a nightly run. */
export const notNightly: string | undefined = isNightly ? undefined : "runs at night, or with PROPERTY_SEED";
