/** Fetches packages of PyPI for tests, at fixed versions, for programs that find them by PYTHONPATH. */
import { execFileSync } from "node:child_process";
import { fillFolderOnce } from "./fill-folder-once.ts";

const INSTALL_MS = 240_000;

/**
 * Installs packages into a folder unless it exists, and returns its path.
 *
 * There is no virtual environment, because its commands would contain the path of its folder, which is renamed.
 *
 * @param folder its name should contain the versions, so that other versions get another folder
 * @param requirements `name==version`
 */
export function fetchPythonPackages(folder: string, requirements: readonly string[]): string {
  return fillFolderOnce(folder, (unfinishedFolder) => {
    execFileSync("python3", ["-m", "pip", "install", "--quiet", "--target", unfinishedFolder, ...requirements], {
      timeout: INSTALL_MS,
      // There is no output but the reason of a failure.
      stdio: ["ignore", "ignore", "pipe"],
    });
  });
}
