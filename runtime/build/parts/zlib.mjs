// Compiles the part of zlib that decompresses, for the bytecode of the executables for Linux. Its sources come from a crate.
import { join } from "node:path";
import { compiled } from "./compile.mjs";
import { crateSources } from "./crate.mjs";
import { VERSIONS } from "./versions.mjs";

const SOURCES = ["adler32.c", "inffast.c", "inflate.c", "inftrees.c", "uncompr.c", "zutil.c"];

/**
 * @param root the repository
 * @param compiler the path of zig, or of another compiler
 * @param target zig's name
 * @returns its compiler flags, which name the folder of its headers, and its object files
 */
export async function zlib(root, compiler, target) {
  const { checksum, holds } = VERSIONS.zlib;
  const folder = join(crateSources(root, VERSIONS.zlib), holds.folder);
  const sources = SOURCES.map((name) => join(folder, name));
  const objects = await compiled(root, compiler, target, sources, ["-Os", "-DNO_GZIP"], checksum);
  return { flags: [`-I${folder}`], objects };
}
