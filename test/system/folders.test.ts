import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "../../src/system/folders.ts";
import { notLinux } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";

test("makeFolder makes missing folders with the given mode, and does not change existing folders", () => {
  const above = folder();
  makeFolder(join(above, "a", "b"), 0o700);
  makeFolder(join(above, "a", "b"), 0o755);
  expect(["a", "a/b"].map((name) => statSync(join(above, name)).mode & 0o777)).toEqual([0o700, 0o700]);
  writeFileSync(join(above, "file"), "");
  expect(() => makeFolder(join(above, "file", "b"))).toThrow("ENOTDIR");
});

test("makeFolder fails, rather than try forever, if the folder cannot be made", ({ skip }) => {
  skip(notLinux !== undefined, notLinux);
  expect(() => makeFolder("/proc/1/a/b")).toThrow("ENOENT");
});
