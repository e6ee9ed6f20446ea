/**
 * A folder whose files only its user may read or replace. Another user with write access to a folder above could swap it
 * between the check and the use. So it is opened once, checked by its descriptor, and its files are reached through that
 * (`/proc/self/fd`). Without /proc only the check of the folders above protects it.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, realpathSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { WORLD_WRITABLE, GROUP_OR_WORLD, STICKY } from "./ownership.ts";

export type FolderProblem =
  | { readonly kind: "absent" }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly problem: "not-a-folder" | "others" | "mode" | "above";
    }
  | { readonly kind: "system"; readonly path: string; readonly code: string };

/** An open folder and the path to its files. Windows opens no folders. */
export interface PrivateFolder {
  readonly path: string;
  readonly descriptor: number | undefined;
}

/**
 * Opens a folder for a call of `use`. @returns its result, or why the folder is not used
 *
 * @param forbidden the permissions that it may not have
 */
export function inPrivateFolder<Result>(
  path: string,
  use: (folder: PrivateFolder) => Result,
  forbidden = GROUP_OR_WORLD,
): Result | FolderProblem {
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
    if ((stats.mode & forbidden) !== 0) return { kind: "folder", path, problem: "mode" };
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
  // A link is ENOTDIR in Linux and ELOOP elsewhere.
  if (code === "ENOTDIR" || code === "ELOOP") return { kind: "folder", path, problem: "not-a-folder" };
  return { kind: "system", path, code };
}

/** Returns the nearest folder above that is world-writable without the sticky bit. */
function openAbove(path: string, { ino, dev }: Stats): string | undefined {
  let below = { ino, dev };
  for (let at = `${path}/..`; ; at += "/..") {
    const above = statSync(at);
    if ((above.mode & (WORLD_WRITABLE | STICKY)) === WORLD_WRITABLE) return realpathSync.native(at);
    // The root is its own parent.
    if (above.ino === below.ino && above.dev === below.dev) return undefined;
    below = above;
  }
}
