import { readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { loader } from "../../system/addon/addon.ts";
import { attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { findNpmPackage } from "../parts/npm-package.ts";

declare const SOPHIA_RUN_VERSION: string | undefined;
/** Empty outside git; with a plus sign if the sources differ from it. */
declare const SOPHIA_RUN_COMMIT: string | undefined;

/** Returns `0.1.0 (npm package, commit 0123456789ab)`. The first word is the version alone, for programs. */
export function versionLine(): string {
  const version = typeof SOPHIA_RUN_VERSION === "undefined" ? "0.0.0" : SOPHIA_RUN_VERSION;
  const commit = typeof SOPHIA_RUN_COMMIT === "undefined" ? "" : SOPHIA_RUN_COMMIT;
  return `${version} (${form()}, ${commit === "" ? "built outside git" : `commit ${commit.replace("+", ", changed")}`})\n`;
}

function form(): string {
  // Only an executable has its native code in itself.
  if (!isBun && loader?.nativeFile === undefined) return "npm package";
  // Without /proc an executable for Linux has no path.
  const path = attempt(() => realpathSync(process.execPath));
  if (path !== undefined && isOfWheel(path)) return "Python wheel";
  return findNpmPackage() === undefined ? "executable" : "executable of the npm package";
}

/** Returns true if pip or uv has recorded the package beside the folder of the command: the wheel has the same executable. */
function isOfWheel(executable: string): boolean {
  const base = dirname(dirname(executable));
  const entries = (folder: string): readonly string[] => attempt(() => readdirSync(folder)) ?? [];
  // As in virtual environments and for --user, on Fedora, in Debian's own Python, on Windows, and with --target.
  const libraries = ["lib", "lib64"].flatMap((name) =>
    entries(join(base, name)).map((python) => join(base, name, python)),
  );
  const folders = [...libraries, join(base, "Lib")].flatMap((folder) =>
    ["site-packages", "dist-packages"].map((name) => join(folder, name)),
  );
  return [...folders, base].some((folder) => entries(folder).some((name) => /^sophia_run-.*\.dist-info$/.test(name)));
}
