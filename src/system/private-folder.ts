/**
 * A folder with files that only its user may read or exchange. Another user who may write a folder above could put one of
 * theirs in its place between a look at it and the use of a file in it. So the folder is opened once, looked at by the
 * descriptor, and its files are reached through that (Linux: `/proc/self/fd`). Elsewhere, and without /proc, the folders
 * above alone keep others from it.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, realpathSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { EVERYBODY_WRITES, FOR_OTHERS, STICKY } from "./permissions.ts";

/** Why a folder is not used. */
export type FolderProblem =
  | { readonly kind: "absent" }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly problem: "not-a-folder" | "others" | "mode" | "above";
    }
  | { readonly kind: "system"; readonly path: string; readonly code: string };

/** An open folder, with the path by which its files are reached. On Windows folders are not opened. */
export interface PrivateFolder {
  readonly path: string;
  readonly descriptor: number | undefined;
}

/**
 * Opens a folder, passes it on and closes it.
 *
 * @returns the result of `use`, or why the folder is not used
 */
export function inPrivateFolder<Result>(path: string, use: (folder: PrivateFolder) => Result): Result | FolderProblem {
  if (process.geteuid === undefined) return use({ path, descriptor: undefined });
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    return notOpened(path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (stats.uid !== process.geteuid()) return { kind: "folder", path, problem: "others" };
    if ((stats.mode & FOR_OTHERS) !== 0) return { kind: "folder", path, problem: "mode" };
    const own = `/proc/self/fd/${descriptor}`;
    const reached = process.platform === "linux" && existsSync(own) ? own : realpathSync.native(path);
    const above = openAbove(reached, stats);
    return above === undefined ? use({ path: reached, descriptor }) : { kind: "folder", path: above, problem: "above" };
  } finally {
    closeSync(descriptor);
  }
}

function notOpened(path: string, error: unknown): FolderProblem {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  if (code === "ENOENT") return { kind: "absent" };
  // Linux has ENOTDIR for a link, and other systems ELOOP.
  if (code === "ENOTDIR" || code === "ELOOP") return { kind: "folder", path, problem: "not-a-folder" };
  return { kind: "system", path, code };
}

/** Returns the nearest folder above in which every user may exchange what is in it: without the sticky bit. */
function openAbove(path: string, { ino, dev }: Stats): string | undefined {
  let below = { ino, dev };
  for (let at = `${path}/..`; ; at += "/..") {
    const above = statSync(at);
    if ((above.mode & (EVERYBODY_WRITES | STICKY)) === EVERYBODY_WRITES) return realpathSync.native(at);
    // The root is its own parent.
    if (above.ino === below.ino && above.dev === below.dev) return undefined;
    below = above;
  }
}
