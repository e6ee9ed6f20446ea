// Fetches and compiles llhttp, the parser of HTTP/1 that Node.js has. Its generated C comes from the sources of aiohttp on PyPI.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../quickjs.mjs";
import { VERSIONS } from "./versions.mjs";
import { zig } from "./zig.mjs";

const LLHTTP = VERSIONS.llhttp;

const SOURCES = ["build/c/llhttp.c", "src/native/api.c", "src/native/http.c"];
const FLAGS = ["-O2", "-g0", "-fno-sanitize=all", "-fno-asynchronous-unwind-tables", "-ffunction-sections"];

/**
 * @param root the repository
 * @returns the folder of the sources
 * @throws if pip is missing, or the package has a different checksum
 */
export function llhttpSources(root) {
  const folder = join(root, ".cache", "llhttp", LLHTTP.holds.version);
  if (existsSync(folder)) return folder;
  mkdirSync(join(folder, ".."), { recursive: true });
  const temporary = mkdtempSync(join(folder, "..", "new-"));
  try {
    const whole = `${LLHTTP.name}-${LLHTTP.version}`;
    const options = ["--no-deps", "--no-binary=:all:", "--dest", temporary];
    run("python3", ["-m", "pip", "download", "--quiet", ...options, `${LLHTTP.name}==${LLHTTP.version}`]);
    const archive = join(temporary, `${whole}.tar.gz`);
    const checksum = createHash("sha256").update(readFileSync(archive)).digest("hex");
    if (checksum !== LLHTTP.checksum) throw new Error(`${whole} has another checksum: ${checksum}`);
    run("tar", ["-xzf", archive, "-C", temporary, `${whole}/vendor/llhttp`]);
    // Renames, because another build may do the same.
    renameSync(join(temporary, whole, "vendor/llhttp"), folder);
  } finally {
    rmSync(temporary, { recursive: true });
  }
  return folder;
}

/**
 * @param root the repository
 * @param processor Node's name
 * @param target zig's name
 * @param other another compiler than zig
 * @returns the compiler flag for its header, and its object files
 */
export function llhttpPart(root, processor, target, other) {
  const sources = llhttpSources(root);
  const include = `-I${join(sources, "build")}`;
  const objects = SOURCES.map((source, index) => {
    const output = join(sources, `${index}-${processor}${other === undefined ? "" : "-other"}.o`);
    if (existsSync(output)) return output;
    const own = `${output}.${process.pid}`;
    run(other ?? zig(root).compiler, [
      "cc",
      "-target",
      target,
      ...FLAGS,
      include,
      "-c",
      join(sources, source),
      "-o",
      own,
    ]);
    renameSync(own, output);
    return output;
  });
  return { flags: [include], objects };
}
