// Fetches and compiles llhttp, the parser of HTTP/1 that Node.js has, too. Its C code is generated; the source package of aiohttp on
// PyPI contains that code.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { compileSources } from "./compile.mjs";
import { expectLibrary } from "./library.mjs";
import { fetchWithPip } from "./pip.mjs";
import { PACKAGES } from "./versions.mjs";

const { name, version, checksum, library } = PACKAGES.llhttp;

/** The files of llhttp, relative to its folder. */
const SOURCES = ["build/c/llhttp.c", "src/native/api.c", "src/native/http.c"];

/** Fetches aiohttp, and unpacks only llhttp. @returns the folder of llhttp's sources */
function fetchLlhttp(root) {
  const unpack = (downloads) => {
    const [archive] = readdirSync(downloads);
    const archivedFolder = `${name}-${version}`;
    run("tar", ["-xzf", join(downloads, archive), "-C", downloads, `${archivedFolder}/${library.folder}`]);
    expectLibrary(join(downloads, archivedFolder), version, library);
    return join(downloads, archivedFolder, library.folder);
  };
  return fetchWithPip({
    cachePrefix: join(root, ".cache", "llhttp", version),
    name,
    version,
    checksum,
    pipOptions: [`--no-binary=${name}`],
    unpack,
  });
}

/**
 * Compiles llhttp.
 *
 * @param root the repository
 * @param compiler the path of zig, or the command of another compiler
 * @param target zig's name of the target
 * @returns the compiler flag that names the folder of its header, and its object files
 */
export async function compileLlhttp(root, compiler, target) {
  const folder = fetchLlhttp(root);
  const include = `-I${join(folder, "build")}`;
  const sources = SOURCES.map((source) => join(folder, source));
  const flags = ["-Os", include];
  const objects = await compileSources({ root, compiler, target, sources, flags, version: checksum });
  return { flags: [include], objects };
}
