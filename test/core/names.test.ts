/** Tests maps whose names have no case, as on Windows. */
import { expect, test } from "vitest";
import { foldName, FoldedMap, windowsEnvironment } from "../../src/core/names.ts";

test.each([
  ["Path", "PATH"],
  ["ProgramFiles(x86)", "PROGRAMFILES(X86)"],
  ["größe", "GRÖßE"],
  ["ſecret", "ſECRET"],
  ["ıd", "ıD"],
])("%s folds to %s", (name, folded) => {
  expect(foldName(name)).toBe(folded);
});

test("a case-insensitive map finds a name in every spelling, and keeps the first spelling", () => {
  const map = new FoldedMap([
    ["Path", 1],
    ["PATH", 2],
  ]);
  expect([map.get("path"), map.has("PATH"), map.size]).toEqual([1, true, 1]);
  map.set("pATH", 3);
  expect(Array.from(map)).toEqual([["Path", 3]]);
  expect([map.delete("PATH"), map.size, map.has("Path")]).toEqual([true, 0, false]);
  map.set("PATH", 4).clear();
  expect(map.get("Path")).toBeUndefined();
});

test("the environment of a Windows process lists no working folders of drives (`=C:`)", () => {
  const environment = windowsEnvironment([
    ["=C:", "C:\\x"],
    ["Path", "C:\\"],
  ]);
  expect([environment.foldsCase, ...environment.keys()]).toEqual([true, "Path"]);
});
