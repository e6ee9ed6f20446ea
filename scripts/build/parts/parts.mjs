// The libraries that are part of the executables for Linux.
import { ada } from "./ada.mjs";
import { zig } from "./zig.mjs";

/**
 * Fetches and compiles the libraries.
 *
 * @param root the repository
 * @param processor Node's name
 * @param target zig's name
 * @returns for each its compiler flags (where its headers are) and its object files or archives
 */
export async function partsFor(root, _processor, target) {
  const { compiler } = zig(root);
  return [ada(root, compiler, target)];
}
