/**
 * Remembers which messages were printed today, so that each start of the day does not repeat them. A file in the cache folder has
 * the day (UTC), and a line for each message as JSON:
 *
 *     2026-01-31
 *     "world-readable /home/user/app/.env"
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { formatDay } from "../core/day.ts";
import type { Environment } from "../core/model.ts";
import { cacheFolder, makePrivateFolder } from "../system/folders.ts";
import { parentOf, within } from "../system/paths.ts";
import { withPrivateFolder } from "../system/private-folder.ts";

/** The limit on the size of the file. When it is reached, messages are printed and not remembered. */
const MAX_BYTES = 64 * 1024;
const FILE_NAME = "told-today";

/**
 * Returns true if the message was not printed today, and remembers it. If that is impossible, every message is new.
 *
 * @param makesFolder true to create the folder for caches, too, as commands do that store values there
 */
export function isNewToday(message: string, environment: Environment, makesFolder = false): boolean {
  const folder = cacheFolder(environment);
  if (folder === undefined) return true;
  try {
    if (!makesFolder && !statSync(parentOf(folder)).isDirectory()) return true;
    makePrivateFolder(folder);
    const isNew = withPrivateFolder(folder, ({ path }) =>
      addLineOfToday(within(path, FILE_NAME), JSON.stringify(message)),
    );
    return isNew !== false;
  } catch {
    // A folder that cannot be used, or a full disk, must not stop a start.
    return true;
  }
}

/** Adds a line below today's date. Lines of another day are removed. @returns false if the line is there already */
function addLineOfToday(path: string, line: string): boolean {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Without O_NONBLOCK, a pipe in place of the file would block the call. Windows has neither O_NOFOLLOW nor O_NONBLOCK.
  const flags = [O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK].reduce((combined, flag) => combined | (flag ?? 0), 0);
  const descriptor = openSync(path, flags, 0o600);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > MAX_BYTES) return true;
    const today = formatDay(new Date());
    const [date, ...lines] = readFileSync(descriptor, "utf8").split("\n");
    const linesOfToday = date === today ? lines : [];
    if (linesOfToday.includes(line)) return false;
    ftruncateSync(descriptor);
    writeSync(descriptor, [today, ...linesOfToday, line].join("\n"), 0);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
