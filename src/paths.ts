/** Paths as every run needs them. node:path is for what few need: loading it, or one walk of it through a path by character, costs more. */

/** The path, relative to a folder or absolute; it is not normalized. */
export function within(folder: string, path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").resolve(folder, path);
  return path.startsWith("/") ? path : `${folder.endsWith("/") ? folder : `${folder}/`}${path}`;
}

/** The folder that holds an absolute path; the root itself for the root. */
export function parentOf(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").dirname(path);
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}
