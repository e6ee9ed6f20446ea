import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { findExecutable } from "../../../src/launch/program/find-executable.ts";
import { folder } from "../../helpers/sophia.ts";

/** `a/tool` is a folder, `b/tool` lacks permission to execute, `c/tool` has it; `loop` is a link to itself. */
function tree(): string {
  const root = folder();
  for (const name of ["a", "b", "c", "a/tool"]) mkdirSync(join(root, name));
  for (const name of ["b", "c"]) writeFileSync(join(root, name, "tool"), "#!/bin/sh\n");
  chmodSync(join(root, "c/tool"), 0o755);
  symlinkSync("loop", join(root, "loop"));
  return root;
}

/** @returns the path that was found, relative to the tree, or the error's status and message */
async function find(command: string, searchPath?: (root: string) => string): Promise<string> {
  const root = tree();
  try {
    return (await findExecutable(command.replace("$", root), searchPath?.(root))).replace(root, "$");
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return `${error.status} ${error.message.replaceAll(root, "$")}`;
  }
}

test.each([
  ["past folders and files without permission", "a:b:c", "$/c/tool"],
  ["past what is not a folder", "c/tool:missing:c", "$/c/tool"],
  ["the first of two", "c:c/../c", "$/c/tool"],
  ["a final slash", "c/", "$/c/tool"],
  ["a folder only", "a", "126 tool: is a directory"],
  ["only a file without permission", "b", "126 tool: permission denied"],
  ["nowhere", "missing", "127 tool: command not found"],
])("on the search path: %s", async (_, path, expected) => {
  const absolute = (root: string): string =>
    path
      .split(":")
      .map((name) => `${root}/${name}`)
      .join(":");
  expect(await find("tool", absolute)).toBe(expected);
});

test.each([[""], [":"], ["::"], ["/nowhere:"]])(
  "the search path %j does not mean the working directory",
  async (path) => {
    // package.json is a file of the working directory.
    expect(await find("package.json", () => path)).toBe("127 package.json: command not found");
  },
);

test("without a search path the system's own folders are searched", async () => {
  expect(await find("sh")).toMatch(/^\/(?:usr\/)?bin\/sh$/);
});

test.each([
  ["$/c/tool", "$/c/tool"],
  ["$/a", "126 $/a: is a directory"],
  ["$/b/tool", "126 $/b/tool: permission denied"],
  ["$/c/tool/x", "126 $/c/tool/x: a part of the path is not a directory"],
  ["$/loop", "126 $/loop: too many symbolic links"],
  ["$/missing", "127 $/missing: no such file or directory"],
  ["/dev/null", "126 /dev/null: permission denied"],
  ["", "127 '': command not found"],
])("the path %s", async (command, expected) => {
  expect(await find(command)).toBe(expected);
});

test("a name that is too long for a file is reported, on the search path and as a path", async () => {
  const long = "x".repeat(256);
  expect(await find(long, (root) => root)).toBe(`126 ${long}: the name is too long`);
  expect(await find(`$/${long}`)).toBe(`126 $/${long}: the name is too long`);
});
