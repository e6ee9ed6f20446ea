/** node:perf_hooks. */
export { performance } from "./process.ts";
