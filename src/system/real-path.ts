/** Paths without links, and names that are not UTF-8. */
import { realpathSync } from "node:fs";
import { OWN_FOLDER } from "./paths.ts";

/**
 * Returns an absolute path without links. Node's own `realpathSync` never returns for a link whose target is not UTF-8 and is
 * decoded to the link's own name, and it drops `..` without following the link before it. @throws the system's error
 */
export function realPath(path: string): string {
  // The system's function gives a network drive another name.
  return process.platform === "win32" ? realpathSync(path) : realpathSync.native(path);
}

/** Returns an absolute path without links as bytes, each one character. @throws the system's error */
export function realBytes(path: string | Buffer): string {
  if (process.platform === "win32") return Buffer.from(realPath(path.toString())).toString("latin1");
  // Bun may return text.
  return Buffer.from(realpathSync.native(path, { encoding: "buffer" })).toString("latin1");
}

/**
 * Returns false for a path that may not survive decoding: a byte that is not UTF-8 is U+FFFD in Node.js, half of a surrogate pair
 * in the executable for Linux. Then git cannot be asked about it, and other paths look the same.
 */
export function isExact(path: string): boolean {
  return !path.startsWith(OWN_FOLDER) && !/\uFFFD|[\uD800-\uDFFF]/u.test(path);
}
