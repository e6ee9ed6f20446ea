/**
 * Opens a folder whose files only its user may read or replace. Another user who may write a folder above it could put
 * another folder in its place between the check and the use. So this code opens the folder once, checks it by its descriptor,
 * and reaches its files through that descriptor: `/proc/self/fd/7/NAME`. Without /proc only the check of the folders above
 * protects it.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, realpathSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { WORLD_WRITABLE, GROUP_OR_WORLD, STICKY } from "./ownership.ts";

/**
 * The reason why a folder is not used. `other-owner`: it belongs to another user. `permissions`: other users have permissions
 * for it. `replaceable-by-all`: every user may replace the folder, because a folder above, which is `path`, is world-writable.
 */
export type FolderFault =
  | { readonly kind: "absent" }
  | {
      readonly kind: "folder";
      readonly path: string;
      readonly fault: "not-a-folder" | "other-owner" | "permissions" | "replaceable-by-all";
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
 * @param forbiddenMode the permissions that the folder must not have
 * @returns the result of `use`, or why the folder is not used
 */
export function withPrivateFolder<Result>(
  path: string,
  use: (folder: PrivateFolder) => Result,
  forbiddenMode = GROUP_OR_WORLD,
): Result | FolderFault {
  // Windows has neither such owners nor such permissions.
  if (process.geteuid === undefined) return use({ path, descriptor: undefined });
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    return createOpeningFault(path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (stats.uid !== process.geteuid()) return { kind: "folder", path, fault: "other-owner" };
    if ((stats.mode & forbiddenMode) !== 0) return { kind: "folder", path, fault: "permissions" };
    const descriptorPath = `/proc/self/fd/${descriptor}`;
    const hasProc = process.platform === "linux" && existsSync(descriptorPath);
    const safePath = hasProc ? descriptorPath : realpathSync.native(path);
    const writableAncestor = findWorldWritableAncestor(safePath, stats);
    if (writableAncestor !== undefined) return { kind: "folder", path: writableAncestor, fault: "replaceable-by-all" };
    return use({ path: safePath, descriptor });
  } finally {
    closeSync(descriptor);
  }
}

/** Returns why a folder could not be opened. */
function createOpeningFault(path: string, error: unknown): FolderFault {
  const code = systemErrorCode(error) ?? "UNKNOWN";
  if (code === "ENOENT") return { kind: "absent" };
  // For a link the system reports ENOTDIR on Linux, and ELOOP elsewhere.
  if (code === "ENOTDIR" || code === "ELOOP") return { kind: "folder", path, fault: "not-a-folder" };
  return { kind: "system", path, code };
}

/**
 * Returns the nearest folder above that is world-writable without the sticky bit: in it every user can replace what is below.
 */
function findWorldWritableAncestor(path: string, { ino, dev }: Stats): string | undefined {
  let child = { ino, dev };
  for (let parentPath = `${path}/..`; ; parentPath += "/..") {
    const parent = statSync(parentPath);
    if ((parent.mode & (WORLD_WRITABLE | STICKY)) === WORLD_WRITABLE) return realpathSync.native(parentPath);
    // The root is its own parent.
    if (parent.ino === child.ino && parent.dev === child.dev) return undefined;
    child = parent;
  }
}
