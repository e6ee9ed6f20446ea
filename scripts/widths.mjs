// Checks the widths of the documents: `node scripts/widths.mjs`. A line has at most 120 columns, a row of a table at most 160.
// Blocks of code and front matter are exempt.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const LINE = 120;
const ROW = 160;
// Licence texts, and the text that `sophia-run docs` writes: its tables have a link in each row.
const EXCLUDED = new Set(["THIRD-PARTY-NOTICES.md", "EXECUTABLE-NOTICES.md", "SECRETS.md"]);

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && !EXCLUDED.has(file));
const problems = [];
for (const file of files) {
  let isCode = false;
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    const isFence = /^\s*(```|~~~)/.test(line) || (line === "---" && (index === 0 || isCode));
    if (isFence) isCode = !isCode;
    const limit = line.startsWith("|") ? ROW : LINE;
    const columns = [...line].length;
    if (!isCode && columns > limit) problems.push(`${file}:${index + 1}: ${columns} columns, at most ${limit}`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
