import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withPrivateFolder } from "../../src/system/private-folder.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, folder } from "../helpers/sophia.ts";

const OTHER = 65_534;
const isRoot = process.getuid?.() === 0;

/** Returns whether native/system.c accepts the folder for compiled code. */
function isAcceptedByAddon(path: string): boolean {
  const script = `const m = { exports: {} }; process.dlopen(m, process.argv[1]);
    process.stdout.write(String(m.exports.isOwnFolder(require("node:fs").openSync(process.argv[2]))));`;
  return execFileSync(process.execPath, ["-e", script, addon, path], { encoding: "utf8" }) === "true";
}

/** Returns why private-folder.ts refuses the folder for the cache of ESC, or "none" if it accepts the folder. */
function findFault(path: string): string {
  const result = withPrivateFolder(path, () => "none" as const);
  return result === "none" ? result : result.kind === "folder" ? result.fault : result.kind;
}

// Only private-folder.ts refuses folders that other users may read, since compiled code is no secret.
const CASES = [
  ["that only the user may use", 0o700, 0o755, true, "none"],
  ["that other users may read", 0o755, 0o755, true, "permissions"],
  ["that the group may write", 0o720, 0o755, false, "permissions"],
  ["that every user may write", 0o702, 0o755, false, "permissions"],
  ["inside a folder that every user may write", 0o700, 0o777, false, "replaceable-by-all"],
  ["inside a folder that every user may write, with the sticky bit", 0o700, 0o1777, true, "none"],
  ["inside a folder that the group may write", 0o700, 0o775, true, "none"],
] as const;

/** Makes a folder with a mode in a folder with another mode, and returns the inner one. */
function makeFolders(mode: number, modeAbove: number): string {
  const above = folder();
  const path = join(above, "own");
  mkdirSync(path);
  chmodSync(path, mode);
  chmodSync(above, modeAbove);
  return path;
}

/** Makes a folder that belongs to another user. */
function makeForeignFolder(): string {
  const path = folder();
  chmodSync(path, 0o700);
  chownSync(path, OTHER, OTHER);
  return path;
}

const noRoot = isRoot ? undefined : "needs root, who can make another user the owner of a folder";

describe("private-folder.ts accepts or refuses as documented a folder", () => {
  test.each(CASES)("%s", (_, mode, modeAbove, _own, problem) => {
    expect(findFault(makeFolders(mode, modeAbove))).toBe(problem);
  });

  test("of another user", ({ skip }) => {
    skip(noRoot !== undefined, noRoot);
    expect(findFault(makeForeignFolder())).toBe("other-owner");
  });
});

describe("native/system.c accepts or refuses as documented a folder", () => {
  skipBecause(existsSync(addon) ? undefined : "needs the addon, which is built if there is a C compiler");

  test.each(CASES)("%s", (_, mode, modeAbove, own) => {
    expect(isAcceptedByAddon(makeFolders(mode, modeAbove))).toBe(own);
  });

  test("of another user", ({ skip }) => {
    skip(noRoot !== undefined, noRoot);
    expect(isAcceptedByAddon(makeForeignFolder())).toBe(false);
  });
});
