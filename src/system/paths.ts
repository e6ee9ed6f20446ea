/** Paths as every run needs them. Not by node:path, whose functions cost a start 0.3 ms on Node.js 24. */

/** The path of a name in a folder. */
export function within(folder: string, name: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").join(folder, name);
  return `${folder.endsWith("/") ? folder : `${folder}/`}${name}`;
}

/** The working directory if its path is not available as a string: it was deleted, or is not UTF-8. Linux only. */
export const OWN_FOLDER = "/proc/self/cwd";

/** The folder that holds an absolute path; the root itself for the root. */
export function parentOf(path: string): string {
  if (path === OWN_FOLDER) return parentOf(pathOfOwnFolder());
  if (process.platform === "win32") return process.getBuiltinModule("node:path").dirname(path);
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/** Bytes that are not UTF-8 have become U+FFFD in it; the folders above them are right. */
function pathOfOwnFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
