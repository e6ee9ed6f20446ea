/** A reporter of vitest for skipped tests. */
import type { Reporter, TestModule } from "vitest/node";

/** Prints the reasons for skipped tests after a run. The default reporter of vitest only counts them. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        const reason = (result.state === "skipped" ? result.note : undefined) ?? "no reason given";
        const line = `${module.relativeModuleId}: ${reason}`;
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    for (const [line, count] of counts) process.stdout.write(`skipped ${count} of ${line}\n`);
  }
}
