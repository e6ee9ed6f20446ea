// Compiles the part of zlib that decompresses. The executables for Linux contain compressed bytecode. The sources come from a crate.
import { join } from "node:path";
import { compileSources } from "./compile.mjs";
import { fetchCrate } from "./crate.mjs";
import { PACKAGES } from "./versions.mjs";

/** The files of zlib that decompress. */
const SOURCES = ["adler32.c", "inffast.c", "inflate.c", "inftrees.c", "uncompr.c", "zutil.c"];

/**
 * Compiles the decompression of zlib.
 *
 * @param root the repository
 * @param compiler the path of zig, or the command of another compiler
 * @param target zig's name of the target
 * @returns the compiler flags that name the folder of its headers, and its object files
 */
export async function compileZlib(root, compiler, target) {
  const { checksum, library } = PACKAGES.zlib;
  const folder = join(fetchCrate(root, PACKAGES.zlib), library.folder);
  const sources = SOURCES.map((name) => join(folder, name));
  const flags = ["-Os", "-DNO_GZIP"];
  const objects = await compileSources({ root, compiler, target, sources, flags, version: checksum });
  return { flags: [`-I${folder}`], objects };
}
