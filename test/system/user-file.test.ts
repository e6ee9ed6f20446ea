import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changeUserFile, writeUserFile } from "../../src/system/user-file.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";

skipBecause(notLinux);

/**
 * Returns the path of a file in a folder that looks to sophia-run as if another process had removed it at once: mkdir(2) reports
 * that the folder exists, and open(2) that it does not. A broken link with a slash behind it is such a folder.
 */
function pathInRemovedFolder(): string {
  const link = join(folder(), "link");
  symlinkSync("absent", link);
  return `${link}//file`;
}

test("writeUserFile reports that it has written nothing if the folder was removed", () => {
  const path = pathInRemovedFolder();
  expect(writeUserFile(path, "text")).toBe(`${path} cannot be used: its folder was removed`);
});

test("changeUserFile reports that it has changed nothing if the folder was removed", async () => {
  const path = pathInRemovedFolder();
  expect(await changeUserFile(path, () => "was called")).toBe(`${path} cannot be used: its folder was removed`);
});

test("writeUserFile removes the unfinished files and locks of killed processes, once they are older than a minute", () => {
  const path = folder();
  const makeUnfinished = (ending: string, seconds: number): void => {
    const lock = join(path, `file.lock.holder-${ending}.tmp`);
    mkdirSync(lock);
    writeFileSync(join(lock, `holder-${ending}`), "");
    writeFileSync(join(path, `file.${ending}.tmp`), "");
    for (const unfinished of [lock, join(path, `file.${ending}.tmp`)]) utimesSync(unfinished, seconds, seconds);
  };
  makeUnfinished("old", 0);
  makeUnfinished("new", Date.now() / 1000);
  expect(writeUserFile(join(path, "file"), "text")).toBeUndefined();
  expect(readdirSync(path).toSorted()).toStrictEqual(["file", "file.lock.holder-new.tmp", "file.new.tmp"]);
});
