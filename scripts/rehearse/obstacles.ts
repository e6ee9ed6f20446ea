/** Finds out whether this machine can rehearse a release. */
import { spawnSync } from "node:child_process";
import { existsSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";

/** The clone, its packages, the compiler and the package managers take 4 GB. */
const MIN_FREE_BYTES = 5_000_000_000;

/** Returns what is missing and what to do about it, in two lines; undefined if nothing is missing. */
export function findObstacle(root: string, folder: string): string | undefined {
  if (process.platform !== "linux") return "only Linux builds the executables for Linux\n  use Linux";
  if (existsSync(folder)) return `${folder} exists\n  name a folder that does not exist`;
  if (!existsSync(dirname(folder))) return `there is no folder ${dirname(folder)}\n  create it first`;
  for (const command of ["git", "npm", "cargo", "python3"]) {
    if (spawnSync(command, ["--version"]).status !== 0)
      return `${command} is missing\n  docs/standalone.md has what a build needs`;
  }
  if (spawnSync("python3", ["-c", "import venv, ensurepip, pip"]).status !== 0)
    return "Python lacks venv or pip\n  apt-get install python3-venv python3-pip";
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize < MIN_FREE_BYTES)
    return `${tmpdir()} has less than ${MIN_FREE_BYTES / 1e9} GB\n  set TMPDIR to a folder with more space`;
  const { stdout } = spawnSync("git", ["-C", root, "status", "--porcelain"], { encoding: "utf8" });
  return stdout === "" ? undefined : "the work tree has changes, which a clone would lack\n  commit them";
}
