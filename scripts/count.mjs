// Adds up the counts of test runners: `node scripts/count.mjs REPORT…`, where each report is the JSON of vitest or of
// the conformance suite. Prints the line `N passed, N failed` with which CI ends.
import { readFileSync } from "node:fs";

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const counts = "numTotalTests" in report ? [report.numPassedTests, report.numFailedTests] : [report.passed, report.failed];
  if (!counts.every(Number.isInteger)) throw new Error(`${file} is no report of a test runner`);
  passed += counts[0];
  failed += counts[1];
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
