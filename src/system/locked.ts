/**
 * Lets one process at a time change a file of the user. The lock is a file beside it, because Node.js has no flock(2): the
 * process that makes `FILE.lock` changes the file and removes the lock. The other processes wait.
 */
import { lstatSync, renameSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { systemErrorCode } from "./errors.ts";
import { makeFolder } from "./folders.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { parentOf } from "./paths.ts";
import { createPrivateFile, removeQuietly, type UnusableFile, withPrivateFolder } from "./private-file.ts";

/** A lock of this age was left by a process that was killed, since a change takes milliseconds. */
const STALE_MS = 5000;
const WAIT_MS = 15_000;
const PAUSE_MS = 20;

/**
 * Calls `act` while no other process does so for the same file. What `act` reads is then still there when it writes.
 *
 * @param unique a name that no other process has @returns the reason if the lock could not be made
 */
export async function whileLocked<Result>(
  path: string,
  act: () => Result,
  unique: string,
): Promise<{ readonly result: Result } | { readonly trouble: UnusableFile }> {
  try {
    makeFolder(parentOf(path), 0o700);
  } catch (error) {
    return { trouble: { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" } };
  }
  const lock = `${path}.lock`;
  const inFolder = (use: (file: string) => undefined): UnusableFile | undefined =>
    withPrivateFolder(lock, use, GROUP_OR_WORLD_WRITABLE);
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const trouble = inFolder((file) => createPrivateFile(file, Buffer.alloc(0)));
    if (trouble === undefined) break;
    // EEXIST: another process has the lock.
    const isHeld = trouble.kind === "system" && trouble.code === "EEXIST";
    if (!isHeld || waitedMs > WAIT_MS) return { trouble };
    inFolder((file) => removeStale(file, unique));
    await setTimeout(PAUSE_MS);
  }
  try {
    return { result: act() };
  } finally {
    inFolder((file) => removeQuietly(file));
  }
}

/** Removes a lock that is too old. It is moved away first: of several processes that see the same lock, only one moves it. */
function removeStale(lock: string, unique: string): undefined {
  const stats = lstatSync(lock, { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.mtimeMs <= STALE_MS) return undefined;
  const moved = `${lock}.${unique}.tmp`;
  renameSync(lock, moved);
  removeQuietly(moved);
  return undefined;
}
