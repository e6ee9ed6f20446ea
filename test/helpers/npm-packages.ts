/** Fetches packages of npm for tests, at fixed versions. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillFolderOnce } from "./fill-folder-once.ts";

/** npm itself would wait up to 15 minutes for each answer of a registry. */
const INSTALL_MS = 240_000;

/**
 * Installs packages into a folder unless it exists, and returns its path. Their install scripts do not run.
 *
 * @param folder its name should contain the versions, so that other versions get another folder
 */
export function fetchNpmPackages(folder: string, versions: Readonly<Record<string, string>>): string {
  return fillFolderOnce(folder, (unfinishedFolder) => {
    const manifest = { private: true, type: "module", dependencies: versions };
    writeFileSync(join(unfinishedFolder, "package.json"), JSON.stringify(manifest));
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: unfinishedFolder,
      timeout: INSTALL_MS,
      // There is no output but the reason of a failure.
      stdio: ["ignore", "ignore", "pipe"],
    });
  });
}
