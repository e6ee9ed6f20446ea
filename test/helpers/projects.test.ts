import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ENTRIES, projectOf, testFiles } from "./projects.mts";

test("every entry of the table is a folder or a file that exists", () => {
  const missing = ENTRIES.filter((entry) => !existsSync(join(import.meta.dirname, "..", entry)));
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
