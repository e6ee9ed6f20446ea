// Compiles ada, which parses URLs as Node.js does, for the executables for Linux. Its sources come from a crate.
import { join } from "node:path";
import { compiled } from "./compile.mjs";
import { crateSources } from "./crate.mjs";
import { VERSIONS } from "./versions.mjs";

const FLAGS = [
  "-Os",
  "-std=c++20",
  "-DNDEBUG",
  "-DADA_INCLUDE_URL_PATTERN=0",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-threadsafe-statics",
];

/** Replaces zig's libc++. */
const LIBRARY = join(import.meta.dirname, "libcxx.cpp");

/**
 * @param root the repository
 * @param compiler the path of zig
 * @param target zig's name
 * @param other another compiler, which links its own C++ library
 * @returns its compiler flags, which name the folder of its headers, and its object files
 */
export async function ada(root, compiler, target, other) {
  const folder = join(crateSources(root, VERSIONS.ada), "deps");
  const sources = [join(folder, "ada.cpp"), ...(other === undefined ? [LIBRARY] : [])];
  const objects = await compiled(root, other ?? compiler, target, sources, FLAGS, VERSIONS.ada.checksum);
  return { flags: [`-I${folder}`], objects };
}
