/** The builds put this in, so that each has only the code for its own runtime. */
declare const SOPHIA_RUN_STANDALONE: boolean | undefined;

/** This program runs in Bun: it is a stand-alone executable. */
export const isBun: boolean =
  typeof SOPHIA_RUN_STANDALONE === "undefined" ? process.versions["bun"] !== undefined : SOPHIA_RUN_STANDALONE;
