/**
 * Finds the npm package that this process was started from. The package contains a bundle for Node.js and executables for Linux.
 * `link` and `hook` write paths that lead into the package, and `version` reports whether there is one.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { attempt } from "../../system/errors.ts";
import { readFoundFile } from "../../system/bounded-read.ts";

/** The folder of the bundle, which the build defines. It is undefined in an executable, and in sources without a build. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** The name of the package, and of the command that it installs. */
export const PACKAGE_NAME = "sophia-run";
/** The file in the package that npm installs as the command. */
export const COMMAND_FILE = "bin/sophia-run.cjs";
/** The folder in the package that contains the bundle and the executables. */
export const DIST_FOLDER = "dist";

const MAX_MANIFEST_BYTES = 1024 * 1024;

export interface NpmPackage {
  /** The path of the package's folder, without symbolic links. */
  readonly folder: string;
  readonly version: string;
}

/** Returns the name of the executable for a processor. @param processor a processor as in `process.arch`, such as `x64` */
export function executableName(processor: string): string {
  return `${PACKAGE_NAME}-linux-${processor}`;
}

/**
 * Finds the package. Returns undefined for an executable outside of the package, and for an executable that cannot find its own
 * path because there is no /proc.
 */
export function findNpmPackage(): NpmPackage | undefined {
  const distFolder = attempt(() =>
    typeof SOPHIA_RUN_FOLDER === "string" ? realpathSync(SOPHIA_RUN_FOLDER) : dirname(realpathSync(process.execPath)),
  );
  if (distFolder === undefined || basename(distFolder) !== DIST_FOLDER) return undefined;
  const folder = dirname(distFolder);
  const { name, version }: Readonly<Record<string, unknown>> = Object(attempt(() => readManifest(folder)));
  return name === PACKAGE_NAME && typeof version === "string" ? { folder, version } : undefined;
}

function readManifest(folder: string): unknown {
  return JSON.parse(readFoundFile(join(folder, "package.json"), { maxBytes: MAX_MANIFEST_BYTES }).toString("utf8"));
}
