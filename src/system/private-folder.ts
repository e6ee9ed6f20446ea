/**
 * Opens a folder whose files only its user may read or replace. Another user who may write a folder above it could put
 * another folder in its place between the check and the use. So it is opened once and checked by its descriptor, and its
 * files are reached through that descriptor: `/proc/self/fd/7/NAME`. Without /proc only the check of the folders above
 * protects it.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, realpathSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { WORLD_WRITABLE, GROUP_OR_WORLD, STICKY } from "./ownership.ts";

/**
 * The reason why a folder is not used. `others`: it belongs to another user. `mode`: other users have permissions for it.
 * `above`: in a folder above, which is `path`, every user may replace the folder.
 */
export type FolderProblem =
  | { readonly kind: "absent" }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly problem: "not-a-folder" | "others" | "mode" | "above";
    }
  | { readonly kind: "system"; readonly path: string; readonly code: string };

/** An open folder, and a path to it that no other user can redirect. Windows opens no folders. */
export interface PrivateFolder {
  readonly path: string;
  readonly descriptor: number | undefined;
}

/**
 * Opens a folder, calls `use`, and closes the folder.
 *
 * @param forbidden the permissions that the folder must not have
 * @returns the result of `use`, or why the folder is not used
 */
export function inPrivateFolder<Result>(
  path: string,
  use: (folder: PrivateFolder) => Result,
  forbidden = GROUP_OR_WORLD,
): Result | FolderProblem {
  // Windows has neither such owners nor such permissions.
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
    const viaDescriptor = `/proc/self/fd/${descriptor}`;
    const hasProc = process.platform === "linux" && existsSync(viaDescriptor);
    const safePath = hasProc ? viaDescriptor : realpathSync.native(path);
    const above = findReplaceable(safePath, stats);
    return above === undefined
      ? use({ path: safePath, descriptor })
      : { kind: "folder", path: above, problem: "above" };
  } finally {
    closeSync(descriptor);
  }
}

/** Returns why a folder could not be opened. */
function notOpened(path: string, error: unknown): FolderProblem {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  if (code === "ENOENT") return { kind: "absent" };
  // For a link the system reports ENOTDIR on Linux, and ELOOP elsewhere.
  if (code === "ENOTDIR" || code === "ELOOP") return { kind: "folder", path, problem: "not-a-folder" };
  return { kind: "system", path, code };
}

/**
 * Returns the nearest folder above that is world-writable without the sticky bit: in it every user can replace what is below.
 */
function findReplaceable(path: string, { ino, dev }: Stats): string | undefined {
  let child = { ino, dev };
  for (let parentPath = `${path}/..`; ; parentPath += "/..") {
    const parent = statSync(parentPath);
    if ((parent.mode & (WORLD_WRITABLE | STICKY)) === WORLD_WRITABLE) return realpathSync.native(parentPath);
    // The root is its own parent.
    if (parent.ino === child.ino && parent.dev === child.dev) return undefined;
    child = parent;
  }
}
