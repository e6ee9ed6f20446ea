/** `npm run bench:phases` builds with true. From any other build the calls of `reached` are gone. */
declare const SOPHIA_RUN_PHASES: boolean | undefined;

/** Loader and bundle are files of their own, which share nothing else. */
const KEY = Symbol.for("sophia-run phases");

/** Notes that a start has come to the end of a phase; the last one writes all of them. Costs nothing unless it is measured. */
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
