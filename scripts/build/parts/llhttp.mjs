// Fetches and compiles llhttp, the parser of HTTP/1 that Node.js has. Its generated C comes from the sources of aiohttp on PyPI.
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../quickjs.mjs";
import { keyOf } from "./key.mjs";
import { compareLicence } from "./licence.mjs";
import { fetchedByPip } from "./pip.mjs";
import { VERSIONS } from "./versions.mjs";

const { holds, checksum, ...ORIGIN } = VERSIONS.llhttp;

const SOURCES = ["build/c/llhttp.c", "src/native/api.c", "src/native/http.c"];
const FLAGS = ["-O2", "-g0", "-fno-sanitize=all", "-fno-asynchronous-unwind-tables", "-ffunction-sections"];

function llhttpSources(root) {
  const options = [`--no-binary=${ORIGIN.name}`];
  return fetchedByPip(join(root, ".cache", "llhttp", ORIGIN.version), ORIGIN, checksum, options, (files) => {
    const [archive] = readdirSync(files);
    const whole = `${ORIGIN.name}-${ORIGIN.version}`;
    run("tar", ["-xzf", join(files, archive), "-C", files, `${whole}/${holds.folder}`]);
    compareLicence(join(files, whole), holds);
    return join(files, whole, holds.folder);
  });
}

/**
 * @param root the repository
 * @param compiler the path of zig
 * @param target zig's name
 * @returns the compiler flag for its header, and its object files
 */
export function llhttpPart(root, compiler, target) {
  const sources = llhttpSources(root);
  const include = `-I${join(sources, "build")}`;
  const folder = join(root, ".cache", "runtime", target);
  mkdirSync(folder, { recursive: true });
  const key = keyOf(checksum, FLAGS, basename(compiler));
  const objects = SOURCES.map((source, index) => {
    const output = join(folder, `llhttp-${index}-${key}.o`);
    if (existsSync(output)) return output;
    // Renames, because another build may do the same.
    const own = `${output}.${process.pid}`;
    run(compiler, ["cc", "-target", target, ...FLAGS, include, "-c", join(sources, source), "-o", own]);
    renameSync(own, output);
    return output;
  });
  return { flags: [include], objects };
}
