import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { formatDay } from "../core/day.ts";
import type { Environment } from "../core/model.ts";
import { cacheFolder } from "../system/folders.ts";
import { makeFolder } from "../system/folders.ts";
import { parentOf, within } from "../system/paths.ts";
import { inPrivateFolder } from "../system/private-folder.ts";

const MAX_BYTES = 64 * 1024;

/**
 * Returns false if the cache folder has the message for today (UTC). Without a folder for caches every message is new.
 *
 * @param makesFolder makes that one, too, for messages of commands that keep values there
 */
export function isNewToday(message: string, environment: Environment, makesFolder = false): boolean {
  const folder = cacheFolder(environment);
  if (folder === undefined) return true;
  try {
    if (!makesFolder && !statSync(parentOf(folder)).isDirectory()) return true;
    makeFolder(folder, 0o700);
    const isNew = inPrivateFolder(folder, ({ path }) => remember(within(path, "told-today"), JSON.stringify(message)));
    return isNew !== false;
  } catch {
    return true;
  }
}

/** Adds a line below today's date. @returns false if it is there */
function remember(path: string, line: string): boolean {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows has neither of the last two.
  const flags = [O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK].reduce((all, one) => all | (one ?? 0), 0);
  const descriptor = openSync(path, flags, 0o600);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > MAX_BYTES) return true;
    const today = formatDay(new Date());
    const [date, ...lines] = readFileSync(descriptor, "utf8").split("\n");
    const printed = date === today ? lines : [];
    if (printed.includes(line)) return false;
    ftruncateSync(descriptor);
    writeSync(descriptor, [today, ...printed, line].join("\n"), 0);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
