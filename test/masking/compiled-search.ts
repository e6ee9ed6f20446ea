/**
 * Loads the compiled search for secrets, so that tests of masking can run with it and with the search in TypeScript.
 */
import { existsSync } from "node:fs";
import { createMasking, type Masking } from "../../src/masking/masking.ts";
import type { CompiledSearch, Secret } from "../../src/masking/masking-model.ts";
import { addon } from "../helpers/sophia.ts";

/** Loads the compiled search of this checkout. Returns undefined if it is not built. */
export function loadCompiledSearch(): CompiledSearch | undefined {
  const file = addon.replace(/\.node$/, "-masking.node");
  if (!existsSync(file)) return undefined;
  const module = { exports: {} };
  process.dlopen(module, file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/masking/masking-addon.c defines these functions
  return module.exports as CompiledSearch;
}

/** Makes the masking use the compiled search if that is built, and returns the masking. */
export function useCompiledSearch(masking: Masking): Masking {
  masking.prepare(loadCompiledSearch());
  return masking;
}

/**
 * The search in TypeScript and, if it is built, the compiled search: each with its name, and a function that creates a masking.
 */
export const SEARCHES: readonly (readonly [string, (secrets: readonly Secret[]) => Masking])[] = [
  ["JavaScript", (secrets) => createMasking(secrets)],
  ...(loadCompiledSearch() === undefined
    ? []
    : [["the addon", (secrets: readonly Secret[]) => useCompiledSearch(createMasking(secrets))] as const]),
];
