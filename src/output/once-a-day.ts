/** What was told today, so that it is not told at each start. */
import { statSync } from "node:fs";
import { day } from "../core/day.ts";
import type { Environment } from "../core/model.ts";
import { cacheFolder, readPrivate, writePrivate } from "../sources/cached/store.ts";
import { parentOf, within } from "../system/paths.ts";

/**
 * Remembers in the user's cache folder that something was told. Without one, and where it cannot be written, everything
 * counts as new. A home without a folder for caches is that of a container or a service, and stays as it is.
 *
 * @param what one of a kind, such as a path
 * @returns false if it was told today (UTC) already
 */
export function isNewToday(what: string, environment: Environment): boolean {
  const folder = cacheFolder(environment);
  if (folder === undefined || !isFolder(parentOf(folder))) return true;
  const path = within(folder, "told-today");
  const today = day(new Date());
  const kept = readPrivate(path);
  const [date, ...lines] = Buffer.isBuffer(kept) ? kept.toString().split("\n") : [];
  const told = date === today ? lines : [];
  const line = JSON.stringify(what);
  if (told.includes(line)) return false;
  writePrivate(path, Buffer.from([today, ...told, line].join("\n")), String(process.pid));
  return true;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
