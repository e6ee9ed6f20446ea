/**
 * A change of a user's own file by one process at a time. The lock is a file beside it, because Node.js has no flock(2): the
 * process that makes it changes the file and removes the lock; the others wait.
 */
import { lstatSync, renameSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { systemErrorCode } from "./errors.ts";
import { makeFolder } from "./folders.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { parentOf } from "./paths.ts";
import { create, inFolderOf, removeQuietly, type Unusable } from "./private-file.ts";

/** A lock this old is of a process that was killed: a change takes milliseconds. */
const STALE_MS = 5000;
const WAIT_MS = 15_000;
const PAUSE_MS = 20;

/**
 * Calls `act` while no other process does for the same file, so that `act` replaces what it has read.
 *
 * @param unique a name that no other process has @returns the reason, if there is no lock
 */
export async function whileLocked<Result>(
  path: string,
  act: () => Result,
  unique: string,
): Promise<{ readonly result: Result } | { readonly trouble: Unusable }> {
  try {
    makeFolder(parentOf(path), 0o700);
  } catch (error) {
    return { trouble: { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" } };
  }
  const lock = `${path}.lock`;
  const inFolder = (use: (file: string) => undefined): Unusable | undefined =>
    inFolderOf(lock, use, GROUP_OR_WORLD_WRITABLE);
  for (let waited = 0; ; waited += PAUSE_MS) {
    const trouble = inFolder((file) => create(file, Buffer.alloc(0)));
    if (trouble === undefined) break;
    if (trouble.kind !== "system" || trouble.code !== "EEXIST" || waited > WAIT_MS) return { trouble };
    inFolder((file) => removeStale(file, unique));
    await setTimeout(PAUSE_MS);
  }
  try {
    return { result: act() };
  } finally {
    inFolder((file) => removeQuietly(file));
  }
}

/** Moves it away: of several that find the same lock, only one does. */
function removeStale(lock: string, unique: string): undefined {
  const found = lstatSync(lock, { throwIfNoEntry: false });
  if (found === undefined || Date.now() - found.mtimeMs <= STALE_MS) return undefined;
  const moved = `${lock}.${unique}.tmp`;
  renameSync(lock, moved);
  removeQuietly(moved);
  return undefined;
}
