import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds dist/ before the tests, unless it is built of the sources as they are now. */
export function buildPackage(): void {
  const build = join(import.meta.dirname, "../../scripts/build.mjs");
  execFileSync(process.execPath, [build, "--if-changed"], { stdio: "inherit", timeout: 300_000 });
}

// The name by which Vitest calls it once before all tests.
export { buildPackage as setup };
