/**
 * Paths as every run needs them, without node:path. That is for what few runs need: loading it takes time in the
 * executable, and its functions go through a path character by character, for which V8 begins to compile them.
 */

/** The path of what has this name in a folder. */
export function within(folder: string, name: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").join(folder, name);
  return `${folder.endsWith("/") ? folder : `${folder}/`}${name}`;
}

/** The working directory where its path cannot be had as a text: it was deleted, or is not UTF-8. Linux only. */
export const ownFolder = "/proc/self/cwd";

/** The folder that holds an absolute path; the root itself for the root. */
export function parentOf(path: string): string {
  if (path === ownFolder) return parentOf(pathOfOwnFolder());
  if (process.platform === "win32") return process.getBuiltinModule("node:path").dirname(path);
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/** What is not UTF-8 in it has become U+FFFD, but the folders above that are what they are. */
function pathOfOwnFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
