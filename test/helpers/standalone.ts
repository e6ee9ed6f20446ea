import { existsSync } from "node:fs";
import { join } from "node:path";

/** The stand-alone executable for this machine, which `npm run build:standalone` makes. */
export const executable = join(
  import.meta.dirname,
  "../../dist-standalone",
  `sophia-run-${process.platform}-${process.arch}${process.platform === "win32" ? ".exe" : ""}`,
);

/** Why tests of the executable cannot run; undefined where it was made. */
export const notMade: string | undefined = existsSync(executable)
  ? undefined
  : "needs what npm run build:standalone makes";
