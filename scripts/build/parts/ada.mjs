// Compiles ada, which parses URLs as Node.js does, for the executables for Linux. Its sources come from a crate.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { run } from "../quickjs.mjs";
import { crateSources } from "./crate.mjs";
import { keyOf } from "./key.mjs";
import { VERSIONS } from "./versions.mjs";

const FLAGS = [
  "-Os",
  "-std=c++20",
  "-DNDEBUG",
  "-DADA_INCLUDE_URL_PATTERN=0",
  "-fno-exceptions",
  "-fno-rtti",
  "-fno-sanitize=all",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-threadsafe-statics",
  "-ffunction-sections",
  "-fdata-sections",
];

/**
 * @param root the repository
 * @param compiler the path of zig
 * @param target zig's name
 * @param flags further options, such as those of a sanitizer
 * @returns its compiler flags, which name the folder of its headers, and its object files
 */
export function ada(root, compiler, target, flags = []) {
  const sources = join(crateSources(root, VERSIONS.ada), "deps");
  const key = keyOf(VERSIONS.ada.checksum, FLAGS, flags);
  const folder = join(root, ".cache", "runtime", target);
  const object = join(folder, `ada-${key}.o`);
  if (!existsSync(object)) {
    mkdirSync(folder, { recursive: true });
    const temporary = `${object}.${process.pid}`;
    run(compiler, ["c++", "-target", target, ...FLAGS, ...flags, "-c", "-o", temporary, join(sources, "ada.cpp")]);
    renameSync(temporary, object);
  }
  return { flags: [`-I${sources}`], objects: [object] };
}
