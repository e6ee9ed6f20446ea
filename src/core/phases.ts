/**
 * Measures the phases of a start, for `npx tsx bench/phases.mjs`. In its build SOPHIA_RUN_PHASES is true. Every other build
 * removes the calls of `recordPhaseEnd`.
 */
declare const SOPHIA_RUN_PHASES: boolean | undefined;

/** The times are stored in a global property, because the loader and the bundle are separate files that share no module. */
const KEY = Symbol.for("sophia-run phases");

/** Records that the start has reached the end of a phase. The last phase writes the times to the file $SOPHIA_RUN_PHASES. */
export function recordPhaseEnd(phase: string): void {
  if (typeof SOPHIA_RUN_PHASES === "undefined" || !SOPHIA_RUN_PHASES) return;
  const now = Number(process.hrtime.bigint());
  const times: Record<string, number> = Reflect.get(globalThis, KEY) ?? {};
  Reflect.set(globalThis, KEY, times);
  times[phase] = now;
  if (phase !== "execve") return;
  // The start of Node.js itself ended before this code was loaded. Both times of `performance` are in milliseconds.
  const { bootstrapComplete } = performance.nodeTiming;
  times["Node.js"] = now - (performance.now() - bootstrapComplete) * 1e6;
  process.getBuiltinModule("node:fs").writeFileSync(process.env["SOPHIA_RUN_PHASES"] ?? "", JSON.stringify(times));
}
