import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, makePrivateFolder } from "../../src/system/folders.ts";
import { notLinux } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";

test("makePrivateFolder makes missing folders for this user alone, and neither function changes existing folders", () => {
  const above = folder();
  chmodSync(above, 0o755);
  makePrivateFolder(join(above, "a", "b"));
  makeFolder(join(above, "a", "b"));
  makePrivateFolder(above);
  expect(["a", "a/b"].map((name) => statSync(join(above, name)).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(statSync(above).mode & 0o777).toBe(0o755);
  writeFileSync(join(above, "file"), "");
  expect(() => makeFolder(join(above, "file", "b"))).toThrow("ENOTDIR");
});

test("makeFolder fails, rather than try forever, if the folder cannot be made", ({ skip }) => {
  skip(notLinux !== undefined, notLinux);
  expect(() => makeFolder("/proc/1/a/b")).toThrow("ENOENT");
});
