/** Returns the text of `sophia-run --version`: the version, how sophia-run was installed, and the commit. */
import { readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { loader } from "../../system/addon/addon.ts";
import { attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { findNpmPackage } from "../parts/npm-package.ts";

/** The build defines this and the next constant. */
declare const SOPHIA_RUN_VERSION: string | undefined;
/** The commit; empty for a build outside git. A plus sign follows if the sources differ from the commit. */
declare const SOPHIA_RUN_COMMIT: string | undefined;

/** Returns `0.1.0 (npm package, commit 0123456789ab)`. Programs can rely on the first word, which is the version alone. */
export function versionLine(): string {
  const version = typeof SOPHIA_RUN_VERSION === "undefined" ? "0.0.0" : SOPHIA_RUN_VERSION;
  const commit = typeof SOPHIA_RUN_COMMIT === "undefined" ? "" : SOPHIA_RUN_COMMIT;
  const build = commit === "" ? "built outside git" : `commit ${commit.replace("+", ", changed")}`;
  return `${version} (${describeInstallation()}, ${build})\n`;
}

function describeInstallation(): string {
  // Only an executable contains its native code.
  if (!isBun && loader?.nativeFile === undefined) return "npm package";
  // Without /proc an executable for Linux cannot find its own path.
  const path = attempt(() => realpathSync(process.execPath));
  if (path !== undefined && isInWheel(path)) return "Python wheel";
  return findNpmPackage() === undefined ? "executable" : "executable of the npm package";
}

/**
 * Returns true if pip or uv has installed the executable from the wheel. The wheel contains the same executable as a release, so
 * this looks for the record of the installation, such as `lib/python3.12/site-packages/sophia_run-0.1.0.dist-info` beside
 * `bin/sophia-run`.
 */
function isInWheel(executable: string): boolean {
  const base = dirname(dirname(executable));
  const listNames = (folder: string): readonly string[] => attempt(() => readdirSync(folder)) ?? [];
  // `lib/python3.12` is the form of virtual environments and of `--user`; Fedora also has `lib64`, and Windows has `Lib`.
  const pythonFolders = ["lib", "lib64"].flatMap((name) =>
    listNames(join(base, name)).map((python) => join(base, name, python)),
  );
  // Debian's own Python has `dist-packages`.
  const packageFolders = [...pythonFolders, join(base, "Lib")].flatMap((folder) =>
    ["site-packages", "dist-packages"].map((name) => join(folder, name)),
  );
  // With `--target`, the record is in the base folder itself.
  return [...packageFolders, base].some((folder) =>
    listNames(folder).some((name) => /^sophia_run-.*\.dist-info$/.test(name)),
  );
}
