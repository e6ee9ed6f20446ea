// Names what is compiled in .cache, so that each change of an input compiles it again.
import { createHash } from "node:crypto";
import { ZIG } from "./versions.mjs";

/**
 * Returns the part of a name in .cache/runtime by which a compiled file is found again: it changes with each input of the
 * compilation.
 *
 * @param inputs the checksum of the sources, compiler options and other values of JSON
 */
export function keyOf(...inputs) {
  return createHash("sha256")
    .update(JSON.stringify([ZIG.version, ...inputs]))
    .digest("hex")
    .slice(0, 16);
}
