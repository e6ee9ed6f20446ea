// Checks words against STYLE.md: `npm run words [-- FILE…]`. Reads the patterns of scripts/words.json in comments, strings and
// names of the code, in titles of tests, and in documents, and prints each line that has one with the reason and the words to
// use. Exceptions are `FILE: text of the line`, and each must still be needed.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const { patterns, exceptions } = JSON.parse(readFileSync("scripts/words.json", "utf8"));
const rules = patterns.map((rule) => ({ ...rule, expression: new RegExp(rule.pattern, "iu") }));
const CODE = /^(src|native|scripts|bench|runtime(?!\/test))\/.*\.(ts|mts|mjs|c|h|inc|sh)$|^bin\//;
const TESTS = /^(runtime\/)?test\/.*\.(ts|mts|py)$/;
const TEXTS = /\.(md|ya?ml)$|^examples\/|^\.env\.example$|\.schema\.json$/;
// Contain the words themselves, or are made by other tools; the generated ones are checked in their sources.
const EXCLUDED =
  /^(STYLE|THIRD-PARTY-NOTICES|EXECUTABLE-NOTICES)\.md$|^scripts\/words\.|\/generated\/|^docs\/conformance\.md$/;

const asked = process.argv.slice(2);
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...asked], {
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => !EXCLUDED.test(file));
const used = new Set();
const problems = files.flatMap(check);
if (asked.length === 0) {
  for (const exception of exceptions) {
    if (!used.has(exception)) problems.push(`scripts/words.json: this exception is not needed: ${exception}`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} lines have words that STYLE.md replaces`);
  process.exitCode = 1;
}

function check(file) {
  const isCode = CODE.test(file);
  const isTest = TESTS.test(file);
  if (!isCode && !isTest && !TEXTS.test(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const text = isTest ? titleIn(line) : line;
    if (text === undefined) return [];
    const parts = { all: text.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ") };
    if (isCode) {
      parts.comments = beginningOfComment(line, lines[index - 1] ?? "");
      parts.names = /^\s*(?:export )?((?:type|interface|class) \w+)/.exec(line)?.[1];
    }
    const rule = rules.find((candidate) => candidate.expression.test(parts[candidate.in] ?? ""));
    if (rule === undefined) return [];
    const exception = `${file}: ${line.trim()}`;
    if (exceptions.includes(exception)) {
      used.add(exception);
      return [];
    }
    const [found] = rule.expression.exec(parts[rule.in]);
    return [`${file}:${index + 1}: "${found}": ${rule.reason}; write: ${rule.instead}`];
  });
}

/** Returns a comment's first line. A line below another one of the same comment is none. */
function beginningOfComment(line, before) {
  const [, mark, text] = /(?:^|\s)(\/\*\*?|\/\/|^\s*\*|^\s*#)\s+(.*)/.exec(line) ?? [];
  if (text === undefined) return undefined;
  const isFirst =
    mark.startsWith("/*") || (mark.trim() === "*" ? /\/\*\*?$/.test(before.trim()) : !/^\s*(\/\/|#)/.test(before));
  return isFirst ? text : undefined;
}

/** Returns the title of a test, or of a case of the conformance suite. */
function titleIn(line) {
  return /\b(?:test|it|describe|case)\b[^"'`]*["'`](.*)/.exec(line)?.[1];
}
