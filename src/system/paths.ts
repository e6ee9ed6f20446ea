/** Functions on paths for every run. Those of node:path would cost a start 0.3 ms on Node.js 24. */

export function within(folder: string, name: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").join(folder, name);
  return `${folder.endsWith("/") ? folder : `${folder}/`}${name}`;
}

/** The working directory if it was deleted or its path is not UTF-8 (Linux). */
export const OWN_FOLDER = "/proc/self/cwd";

/** Returns the folder of an absolute path; the root for the root. */
export function parentOf(path: string): string {
  if (path === OWN_FOLDER) return parentOf(pathOfOwnFolder());
  if (process.platform === "win32") return process.getBuiltinModule("node:path").dirname(path);
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/** Returns a path in which bytes that are not UTF-8 are U+FFFD; the folders above them are right. */
function pathOfOwnFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
