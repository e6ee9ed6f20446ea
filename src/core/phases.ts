/** True in the build of `npx tsx bench/phases.mjs`. Every other build removes the calls of `reached`. */
declare const SOPHIA_RUN_PHASES: boolean | undefined;

/** Loader and bundle are separate files that share no module. */
const KEY = Symbol.for("sophia-run phases");

/** Records the end of a phase of the start. The last one writes all of them to the file SOPHIA_RUN_PHASES. */
export function reached(phase: string): void {
  if (typeof SOPHIA_RUN_PHASES === "undefined" || !SOPHIA_RUN_PHASES) return;
  const now = Number(process.hrtime.bigint());
  const marks: Record<string, number> = Reflect.get(globalThis, KEY) ?? {};
  Reflect.set(globalThis, KEY, marks);
  marks[phase] = now;
  if (phase !== "execve") return;
  const { bootstrapComplete } = performance.nodeTiming;
  marks["Node.js"] = now - (performance.now() - bootstrapComplete) * 1e6;
  process.getBuiltinModule("node:fs").writeFileSync(process.env["SOPHIA_RUN_PHASES"] ?? "", JSON.stringify(marks));
}
