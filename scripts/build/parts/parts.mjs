// The libraries that are part of the executables for Linux.
import { llhttpPart } from "./llhttp.mjs";

/**
 * Fetches and compiles the libraries.
 *
 * @param root the repository
 * @param processor Node's name
 * @param target zig's name
 * @returns for each its compiler flags (where its headers are) and its object files or archives
 */
export async function partsFor(root, processor, target) {
  return [llhttpPart(root, processor, target)];
}
