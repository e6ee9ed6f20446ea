// Prints the sum of test runners' counts as `N passed, N failed`: `node scripts/count.mjs REPORT…`. A report is the JSON of
// vitest or of the conformance suite.
import { readFileSync } from "node:fs";

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  if (Array.isArray(report.cases)) {
    passed += report.cases.filter(({ outcome }) => outcome === "passed").length;
    failed += report.cases.filter(({ outcome }) => outcome === "failed").length;
  } else {
    passed += report.numPassedTests;
    failed += report.numFailedTests;
  }
}
if (!Number.isInteger(passed + failed)) throw new Error("one of the files is no report of a test runner");
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
