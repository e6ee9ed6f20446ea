/** Resolves symbolic links in paths, even if names are not UTF-8. */
import { realpathSync } from "node:fs";
import { WORKING_DIRECTORY_LINK } from "./paths.ts";

/**
 * Returns an absolute path without links. The system's function (`native`) is used. Node's own `realpathSync` never returns
 * for a link whose target is not UTF-8 and decodes to the link's own name. It also removes `..` without following the link
 * before it.
 * @throws the system's error
 */
export function realPath(path: string): string {
  // On Windows the system's function would give a network drive another name.
  return process.platform === "win32" ? realpathSync(path) : realpathSync.native(path);
}

/**
 * Returns an absolute path without links, as a string in which each character stands for one byte. @throws the system's
 * error
 */
export function realLatin1Path(path: string | Buffer): string {
  if (process.platform === "win32") return Buffer.from(realPath(path.toString())).toString("latin1");
  // Bun may return a string in spite of the encoding.
  return Buffer.from(realpathSync.native(path, { encoding: "buffer" })).toString("latin1");
}

/**
 * Returns false for a path that may not survive decoding. A byte that is not UTF-8 becomes U+FFFD in Node.js, and half of a
 * surrogate pair in the executable for Linux. Other paths then look the same, and git cannot be asked about the file.
 */
export function isExactPath(path: string): boolean {
  return !path.startsWith(WORKING_DIRECTORY_LINK) && !/\uFFFD|[\uD800-\uDFFF]/u.test(path);
}
