/** The part of node:module that yargs loads. */
import { natives } from "../native.ts";

/** Returns a `require` that has modules of this runtime alone. */
export function createRequire(): (name: string) => object {
  return (name) => natives<{ readonly builtin: (name: string) => object }>().builtin(name);
}
