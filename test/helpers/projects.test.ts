import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeLeftOut, NAMES, projectOf, QUICK, testFiles } from "./projects.mts";

const root = join(import.meta.dirname, "../..");

test("the end of a test file's name determines its project", () => {
  expect(projectOf("test/masking/stream.test.ts")).toBe("unit");
  expect(projectOf("test/masking/tools.slow.test.ts")).toBe("slow");
  expect(projectOf("test/esc-server/wire.esc.test.ts")).toBe("esc");
});

test("a test file whose name ends with no project fails the run", () => {
  expect(() => projectOf("test/some.quick.test.ts")).toThrow("test/some.quick.test.ts belongs to no project");
});

test("testFiles lists the test files of test/ and of runtime/test/", () => {
  expect(testFiles()).toContain("test/helpers/projects.test.ts");
  expect(testFiles()).toContain("runtime/test/values.standalone.test.ts");
});

// `.ci/run` runs this project once the executable has been built. Earlier the tests would be skipped.
test("each test file that needs the executable, its runtime or a wheel belongs to the project `standalone`", () => {
  const needs = /helpers\/(?:standalone|shell)\.ts"|dist-(?:standalone|wheels)|\.cache\/alpine/;
  const files = testFiles().filter((file) => needs.test(readFileSync(join(root, file), "utf8")));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => projectOf(file) !== "standalone")).toEqual([]);
});

test("a run of some projects reports which projects it leaves out, and how to run them", () => {
  const lines = describeLeftOut(QUICK);
  expect(lines[0]).toMatch(/^not in this run: slow, [1-9]\d* of [1-9]\d+ files: /);
  expect(lines[1]).toMatch(/^not in this run: standalone, [1-9]\d* of [1-9]\d+ files: /);
  expect(lines.slice(2)).toEqual(["everything: npm run test:all"]);
  expect(describeLeftOut(NAMES)).toEqual([]);
});

test("npm test runs the quick projects", () => {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const quick = QUICK.map((name) => ` --project=${name}`);
  expect(manifest).toHaveProperty(
    "scripts.test",
    `node scripts/install.mjs && tsc --noEmit && vitest run${quick.join("")}`,
  );
});
