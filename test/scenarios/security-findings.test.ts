/** docs/security-findings.md: each finding names the test that keeps it fixed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "docs/security-findings.md"), "utf8");
const findings = text.split(/^- (?=\*\*(?:High|Medium|Low)\*\*)/m).slice(1);

test.each(findings.map((finding) => [finding.slice(0, 80).replace(/\s+/g, " "), finding] as const))(
  "%s names tests that exist",
  (_, finding) => {
    const named = [...finding.matchAll(/`((?:runtime\/)?test\/[^`]+\.test\.ts)`/g)].map(([, path = ""]) => path);
    expect(named).not.toEqual([]);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);

test("the page about security findings has findings of each severity", () => {
  expect(findings.length).toBeGreaterThan(50);
  expect(new Set(findings.map((finding) => /\w+/.exec(finding)?.[0]))).toEqual(new Set(["High", "Medium", "Low"]));
});
