/** The runtime in which this code runs. Each build defines it, so that a bundle has only the code for its own runtime. */
declare const SOPHIA_RUN_STANDALONE: boolean | undefined;

/** True in a stand-alone executable for macOS or Windows, which runs in Bun. */
export const isBun: boolean =
  typeof SOPHIA_RUN_STANDALONE === "undefined" ? process.versions["bun"] !== undefined : SOPHIA_RUN_STANDALONE;
