import { existsSync } from "node:fs";
import { maskingOf, type Masking } from "../../src/masking/masking.ts";
import type { CompiledSearch, Secret } from "../../src/masking/masking-model.ts";
import { addon } from "../helpers/sophia.ts";

/** Returns the compiled search of this checkout, if it is built. */
export function compiledSearch(): CompiledSearch | undefined {
  const file = addon.replace(/\.node$/, "-masking.node");
  if (!existsSync(file)) return undefined;
  const module = { exports: {} };
  process.dlopen(module, file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines it
  return module.exports as CompiledSearch;
}

/** Makes a masking search by the compiled search, if there is one. */
export function withAddon(masking: Masking): Masking {
  masking.prepare(compiledSearch());
  return masking;
}

/** The search in TypeScript and, if it is built, the compiled one: each makes a masking. */
export const searches: readonly (readonly [string, (secrets: readonly Secret[]) => Masking])[] = [
  ["JavaScript", (secrets) => maskingOf(secrets)],
  ...(compiledSearch() === undefined
    ? []
    : [["the addon", (secrets: readonly Secret[]) => withAddon(maskingOf(secrets))] as const]),
];
