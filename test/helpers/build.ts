/** Builds the package before the tests. vitest.config.mts names this file as its global setup. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds dist/ unless the sources have not changed since the last build. */
export function buildPackage(): void {
  const build = join(import.meta.dirname, "../../scripts/build.mjs");
  execFileSync(process.execPath, [build, "--if-changed"], { stdio: "inherit", timeout: 300_000 });
}

// Vitest calls `setup` once before all tests.
export { buildPackage as setup };
