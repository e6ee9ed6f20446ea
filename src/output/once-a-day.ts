/** Remembers what was told today, so that it is not told at each start. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { day } from "../core/day.ts";
import type { Environment } from "../core/model.ts";
import { cacheFolder } from "../system/folders.ts";
import { makeFolder } from "../system/folders.ts";
import { parentOf, within } from "../system/paths.ts";
import { inPrivateFolder } from "../system/private-folder.ts";

const MAX_BYTES = 64 * 1024;

/**
 * Remembers in the user's cache folder what was told. Without one everything counts as new: a home without it is that
 * of a container or a service, and stays as it is.
 * @returns false if it was told today (UTC) already
 */
export function isNewToday(what: string, environment: Environment): boolean {
  const folder = cacheFolder(environment);
  if (folder === undefined) return true;
  try {
    if (!statSync(parentOf(folder)).isDirectory()) return true;
    makeFolder(folder, 0o700);
    const isNew = inPrivateFolder(folder, ({ path }) => remember(within(path, "told-today"), JSON.stringify(what)));
    return isNew !== false;
  } catch {
    // There is no such folder, or it cannot be written.
    return true;
  }
}

/** @returns false if the file has the line, under the date of this day */
function remember(path: string, line: string): boolean {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows lacks the last two.
  const flags = [O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK].reduce((all, one) => all | (one ?? 0), 0);
  const descriptor = openSync(path, flags, 0o600);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > MAX_BYTES) return true;
    const today = day(new Date());
    const [date, ...lines] = readFileSync(descriptor, "utf8").split("\n");
    const told = date === today ? lines : [];
    if (told.includes(line)) return false;
    ftruncateSync(descriptor);
    writeSync(descriptor, [today, ...told, line].join("\n"), 0);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
