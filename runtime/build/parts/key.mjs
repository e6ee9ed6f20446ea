// Computes the keys in the names of compiled files in .cache/runtime, such as `zutil-0f922d9732e46826.o`. The build compiles a file
// only if .cache/runtime has no file with its key.
import { createHash } from "node:crypto";
import { ZIG } from "./versions.mjs";

/**
 * Returns the key of a compiled file: 16 hexadecimal digits, which change with each input and with the version of the compiler.
 *
 * @param inputs all that the result depends on, as values of JSON: the checksum of the sources, the compiler's options
 */
export function cacheKeyOf(...inputs) {
  return createHash("sha256")
    .update(JSON.stringify([ZIG.version, ...inputs]))
    .digest("hex")
    .slice(0, 16);
}
