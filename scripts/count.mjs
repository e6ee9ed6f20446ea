// Prints the failed tests of test runners' reports, each with its first messages, and then the sum of their counts as
// `N passed, N failed`: `node scripts/count.mjs REPORT…`. A report is the JSON of vitest or of the conformance suite,
// in a folder with the name of its check.
import { readFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const LINES_OF_A_MESSAGE = 30;

function failure(report, test, message) {
  const lines = stripVTControlCharacters(message).split("\n").slice(0, LINES_OF_A_MESSAGE);
  console.log(["", `failed in ${report}: ${test}`, ...lines.map((line) => `  ${line}`)].join("\n"));
}

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const name = basename(dirname(file));
  if (Array.isArray(report.cases)) {
    const failures = report.cases.filter(({ outcome }) => outcome === "failed");
    passed += report.cases.filter(({ outcome }) => outcome === "passed").length;
    failed += failures.length;
    for (const each of failures) failure(name, each.name, each.message);
  } else {
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    for (const suite of report.testResults) {
      // A file that could not be loaded has a message of its own and no tests.
      if (suite.status === "failed" && suite.message !== "") failure(name, relative(".", suite.name), suite.message);
      for (const each of suite.assertionResults.filter(({ status }) => status === "failed")) {
        failure(name, `${relative(".", suite.name)} > ${each.fullName}`, each.failureMessages.join("\n"));
      }
    }
  }
}
if (!Number.isInteger(passed + failed)) throw new Error("one of the files is no report of a test runner");
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
