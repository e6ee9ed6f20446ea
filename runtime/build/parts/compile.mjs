// Compiles the sources of libraries for the executables for Linux. .cache/runtime has the object files, so that a build compiles a
// source only if the source, the compiler or the flags have changed.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { promisify } from "node:util";
import { cacheKeyOf } from "./key.mjs";

const run = promisify(execFile);

/**
 * Ends the process if a function writes beyond its variables on the stack. The compiler adds this check to each function that has an
 * array, or that passes on the address of a variable. musl, the C library of the executables, has no headers for _FORTIFY_SOURCE.
 */
export const STACK_PROTECTOR = "-fstack-protector-strong";

/** The compiler options of all C and C++ in the executables for Linux, except AWS-LC. */
export const COMMON_FLAGS = [
  "-g0",
  "-fno-sanitize=all",
  STACK_PROTECTOR,
  "-fno-unwind-tables",
  "-fno-asynchronous-unwind-tables",
  "-ffunction-sections",
  "-fdata-sections",
];

/**
 * Compiles source files one by one, except those that an earlier build has compiled from the same texts with the same options.
 *
 * @param options.root the repository
 * @param options.compiler the path of zig, or the command of another compiler
 * @param options.target zig's name of the target
 * @param options.sources the paths of files in C or C++
 * @param options.flags compiler options, besides {@link COMMON_FLAGS}
 * @param options.version changes with the sources and all that they include, such as the checksum of their package
 * @returns the paths of the object files
 */
export async function compileSources({ root, compiler, target, sources, flags, version }) {
  const folder = join(root, ".cache", "runtime", target);
  mkdirSync(folder, { recursive: true });
  const objects = [];
  // The files of one library are compiled one after another, because the libraries are compiled side by side.
  for (const source of sources) {
    const extension = extname(source);
    const key = cacheKeyOf(version, COMMON_FLAGS, flags, basename(compiler), readFileSync(source, "utf8"));
    const object = join(folder, `${basename(source, extension)}-${key}.o`);
    objects.push(object);
    if (existsSync(object)) continue;
    // Another build may compile the same file at the same time, so only a complete object file gets the final name.
    const temporary = `${object}.${process.pid}`;
    const language = extension === ".cpp" ? "c++" : "cc";
    await run(compiler, [language, "-target", target, ...COMMON_FLAGS, ...flags, "-c", "-o", temporary, source]);
    renameSync(temporary, object);
  }
  return objects;
}
