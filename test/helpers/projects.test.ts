import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENTRIES, leftOut, LONGEST, NAMES, projectOf, QUICK, testFiles } from "./projects.mts";

test("every entry of the tables is a folder or a file that exists", () => {
  const missing = [...ENTRIES, ...LONGEST].filter((entry) => !existsSync(join(import.meta.dirname, "..", entry)));
  expect(missing).toEqual([]);
});

test("a file's own entry goes before its folder's", () => {
  expect(projectOf("masking/stream.test.ts")).toBe("unit");
  expect(projectOf("masking/a-new-one.test.ts")).toBe("slow");
  expect(projectOf("commands/a-new-one/some.test.ts")).toBe("slow");
});

test("a file that belongs to no project fails the run", () => {
  expect(() => projectOf("no-such-folder/some.test.ts")).toThrow("test/no-such-folder/some.test.ts");
  expect(() => projectOf("some.test.ts")).toThrow("belongs to no project");
});

test("the files that there are include this one", () => {
  expect(testFiles()).toContain("helpers/projects.test.ts");
});

test("a run of some projects tells which it leaves out, and how to run them", () => {
  const lines = leftOut(QUICK);
  expect(lines[0]).toMatch(/^not in this run: slow, [1-9]\d* of [1-9]\d+ files: /);
  expect(lines.slice(1)).toEqual(["everything: npm run test:all"]);
  expect(leftOut(NAMES)).toEqual([]);
});

test("npm test is the quick projects", () => {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  const quick = QUICK.map((name) => ` --project=${name}`);
  expect(manifest).toHaveProperty("scripts.test", `tsc --noEmit && vitest run${quick.join("")}`);
});
