// Compiles ada, the parser of URLs that Node.js has, too, for the executables for Linux. Its sources come from a crate.
import { join } from "node:path";
import { compileSources } from "./compile.mjs";
import { fetchCrate } from "./crate.mjs";
import { PACKAGES } from "./versions.mjs";

const FLAGS = [
  "-Os",
  "-std=c++20",
  "-DNDEBUG",
  "-DADA_INCLUDE_URL_PATTERN=0",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-threadsafe-statics",
];

/** Has the functions of a C++ library that ada calls. The executables do not link zig's libc++. */
const CXX_LIBRARY = join(import.meta.dirname, "libcxx.cpp");

/**
 * Compiles ada.
 *
 * @param root the repository
 * @param zig the path of zig
 * @param target zig's name of the target
 * @param otherCompiler the command of a compiler in place of zig, which links its own C++ library
 * @returns the compiler flags that name the folder of its headers, and its object files
 */
export async function compileAda(root, zig, target, otherCompiler) {
  const folder = join(fetchCrate(root, PACKAGES.ada), "deps");
  const sources = [join(folder, "ada.cpp"), ...(otherCompiler === undefined ? [CXX_LIBRARY] : [])];
  const compiler = otherCompiler ?? zig;
  const objects = await compileSources({
    root,
    compiler,
    target,
    sources,
    flags: FLAGS,
    version: PACKAGES.ada.checksum,
  });
  return { flags: [`-I${folder}`], objects };
}
