import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds dist/ once before the tests, so that they run what the sources say now. */
export default function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, "../../scripts/build.mjs")], { stdio: "inherit" });
}
