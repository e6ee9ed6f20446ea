/** Gives fast-check the seed of the run. vitest.config.mts replaces the module `fast-check` by this file. */
import { configureGlobal } from "fast-check";
import { SEED } from "./seed.ts";

// By default fast-check would take another seed in each run.
configureGlobal({ seed: SEED });

export * from "fast-check";
