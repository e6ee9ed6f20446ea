/** The npm package that this process runs from: by Node.js, or as its executable for Linux. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { attempt } from "../../system/errors.ts";
import { readFound } from "../../system/bounded-read.ts";

/** The bundle's folder in the package, defined by the build; an executable and unbundled sources have none. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** The names of the package and of its command. */
export const NAME = "sophia-run";
/** The file that npm installs as the command, in the package. */
export const NODE_FILE = "bin/sophia-run.cjs";
/** The folder of the bundle and of the executables, in the package. */
export const FOLDER = "dist";

const MAX_BYTES = 1024 * 1024;

export interface OwnPackage {
  /** Its real path. */
  readonly folder: string;
  readonly version: string;
}

/** Returns the name of the executable for a processor, by Node's name of that. */
export function executableName(processor: string): string {
  return `${NAME}-linux-${processor}`;
}

/** Returns the package; undefined for an executable that is in none, and for an executable without /proc, which has no path. */
export function ownPackage(): OwnPackage | undefined {
  const dist = attempt(() =>
    typeof SOPHIA_RUN_FOLDER === "string" ? realpathSync(SOPHIA_RUN_FOLDER) : dirname(realpathSync(process.execPath)),
  );
  if (dist === undefined || basename(dist) !== FOLDER) return undefined;
  const folder = dirname(dist);
  const { name, version }: Readonly<Record<string, unknown>> = Object(attempt(() => manifestIn(folder)));
  return name === NAME && typeof version === "string" ? { folder, version } : undefined;
}

function manifestIn(folder: string): unknown {
  return JSON.parse(readFound(join(folder, "package.json"), { maxBytes: MAX_BYTES }).toString("utf8"));
}
