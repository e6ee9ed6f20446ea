// Compiles sources of a library for the executables for Linux, each once.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { promisify } from "node:util";
import { keyOf } from "./key.mjs";

const run = promisify(execFile);

/**
 * A function with an array, or whose variables' addresses others get, notices at its end if something wrote beyond them. Then the
 * process dies. musl, the C library of the executables, has no headers for _FORTIFY_SOURCE.
 */
export const STACK_PROTECTOR = "-fstack-protector-strong";

/** Compiler options of all C and C++ in the executables for Linux, but for AWS-LC. */
export const FLAGS_OF_ALL = [
  "-g0",
  "-fno-sanitize=all",
  STACK_PROTECTOR,
  "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables",
  "-ffunction-sections",
  "-fdata-sections",
];

/**
 * Compiles files, or finds what an earlier build has compiled of the same texts by the same options.
 *
 * @param root the repository
 * @param compiler the path of zig, or of another compiler
 * @param target zig's name
 * @param sources the paths of files in C or C++
 * @param flags options
 * @param version of the sources and what they include, such as the checksum of their package
 * @returns the paths of the object files
 */
export async function compiled(root, compiler, target, sources, flags, version) {
  const folder = join(root, ".cache", "runtime", target);
  mkdirSync(folder, { recursive: true });
  const objects = [];
  // One after another, because libraries are compiled side by side.
  for (const source of sources) {
    const extension = extname(source);
    const key = keyOf(version, FLAGS_OF_ALL, flags, basename(compiler), readFileSync(source, "utf8"));
    const object = join(folder, `${basename(source, extension)}-${key}.o`);
    objects.push(object);
    if (existsSync(object)) continue;
    // Renames, because another build may do the same.
    const temporary = `${object}.${process.pid}`;
    const language = extension === ".cpp" ? "c++" : "cc";
    await run(compiler, [language, "-target", target, ...FLAGS_OF_ALL, ...flags, "-c", "-o", temporary, source]);
    renameSync(temporary, object);
  }
  return objects;
}
