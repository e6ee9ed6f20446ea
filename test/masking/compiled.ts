import { existsSync } from "node:fs";
import type { Masking } from "../../src/masking/masking.ts";
import type { CompiledSearch } from "../../src/masking/model.ts";
import { addon } from "../helpers/sophia.ts";

/** Makes a masking search by the compiled loop of this checkout, if it is built. */
export function withAddon(masking: Masking): Masking {
  const file = addon.replace(/\.node$/, "-redact.node");
  const module = { exports: {} };
  if (existsSync(file)) process.dlopen(module, file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines it
  masking.prepare(existsSync(file) ? (module.exports as CompiledSearch) : undefined);
  return masking;
}
