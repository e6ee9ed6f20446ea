// Fetches and compiles llhttp, the parser of HTTP/1 that Node.js has. Its generated C comes from the sources of aiohttp on PyPI.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { compiled } from "./compile.mjs";
import { compareLibrary } from "./library.mjs";
import { fetchedByPip } from "./pip.mjs";
import { VERSIONS } from "./versions.mjs";

const { holds, checksum, ...ORIGIN } = VERSIONS.llhttp;

const SOURCES = ["build/c/llhttp.c", "src/native/api.c", "src/native/http.c"];
function llhttpSources(root) {
  const options = [`--no-binary=${ORIGIN.name}`];
  return fetchedByPip(join(root, ".cache", "llhttp", ORIGIN.version), ORIGIN, checksum, options, (files) => {
    const [archive] = readdirSync(files);
    const whole = `${ORIGIN.name}-${ORIGIN.version}`;
    run("tar", ["-xzf", join(files, archive), "-C", files, `${whole}/${holds.folder}`]);
    compareLibrary(join(files, whole), ORIGIN.version, holds);
    return join(files, whole, holds.folder);
  });
}

/**
 * @param root the repository
 * @param compiler the path of zig
 * @param target zig's name
 * @returns the compiler flag for its header, and its object files
 */
export async function llhttpPart(root, compiler, target) {
  const folder = llhttpSources(root);
  const include = `-I${join(folder, "build")}`;
  const sources = SOURCES.map((source) => join(folder, source));
  const objects = await compiled(root, compiler, target, sources, ["-Os", include], checksum);
  return { flags: [include], objects };
}
