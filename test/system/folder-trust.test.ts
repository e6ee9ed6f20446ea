import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inPrivateFolder } from "../../src/system/private-folder.ts";
import { skipBecause } from "../helpers/skip.ts";
import { addon, folder } from "../helpers/sophia.ts";

const OTHER = 65_534;
const isRoot = process.getuid?.() === 0;

/** True if native/system.c keeps compiled code in the folder. */
function isOwn(path: string): boolean {
  const script = `const m = { exports: {} }; process.dlopen(m, process.argv[1]);
    process.stdout.write(String(m.exports.isOwnFolder(require("node:fs").openSync(process.argv[2]))));`;
  return execFileSync(process.execPath, ["-e", script, addon, path], { encoding: "utf8" }) === "true";
}

/** The problem that keeps the cache of ESC out of the folder. */
function problemOf(path: string): string {
  const result = inPrivateFolder(path, () => "none" as const);
  return result === "none" ? result : result.kind === "folder" ? result.problem : result.kind;
}

// Only one of the two refuses folders that others may read, since code is no secret.
const CASES = [
  ["of the user alone", 0o700, 0o755, true, "none"],
  ["that others may read", 0o755, 0o755, true, "mode"],
  ["that the group may write", 0o720, 0o755, false, "mode"],
  ["that every user may write", 0o702, 0o755, false, "mode"],
  ["below one that every user may write", 0o700, 0o777, false, "above"],
  ["below one that every user may write, with the sticky bit", 0o700, 0o1777, true, "none"],
  ["below one that the group may write", 0o700, 0o775, true, "none"],
] as const;

function made(mode: number, modeAbove: number): string {
  const above = folder();
  const path = join(above, "own");
  mkdirSync(path);
  chmodSync(path, mode);
  chmodSync(above, modeAbove);
  return path;
}

function others(): string {
  const path = folder();
  chmodSync(path, 0o700);
  chownSync(path, OTHER, OTHER);
  return path;
}

const noRoot = isRoot ? undefined : "needs root, to give a folder to another user";

describe("private-folder.ts decides on a folder", () => {
  test.each(CASES)("%s", (_, mode, modeAbove, _own, problem) => {
    expect(problemOf(made(mode, modeAbove))).toBe(problem);
  });

  test("of another user", ({ skip }) => {
    skip(noRoot !== undefined, noRoot);
    expect(problemOf(others())).toBe("others");
  });
});

describe("native/system.c decides on a folder", () => {
  skipBecause(existsSync(addon) ? undefined : "needs the addon, which is built where there is a C compiler");

  test.each(CASES)("%s", (_, mode, modeAbove, own) => {
    expect(isOwn(made(mode, modeAbove))).toBe(own);
  });

  test("of another user", ({ skip }) => {
    skip(noRoot !== undefined, noRoot);
    expect(isOwn(others())).toBe(false);
  });
});
