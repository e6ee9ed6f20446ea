import { configureGlobal } from "fast-check";
import { SEED } from "./seed.ts";

/** vitest.config.mts puts this module in the place of fast-check, whose own default is another seed in every run. */
configureGlobal({ seed: SEED });

export * from "fast-check";
