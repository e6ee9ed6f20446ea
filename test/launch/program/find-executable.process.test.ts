import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SophiaError } from "../../../src/core/error.ts";
import { findExecutable } from "../../../src/launch/program/find-executable.ts";
import { folder } from "../../helpers/sophia.ts";

/** Makes a tree in which `a/tool` is a folder, `b/tool` may not be executed, `c/tool` may, and `loop` is a link to itself. */
function makeTree(): string {
  const root = folder();
  for (const name of ["a", "b", "c", "a/tool"]) mkdirSync(join(root, name));
  for (const name of ["b", "c"]) writeFileSync(join(root, name, "tool"), "#!/bin/sh\n");
  chmodSync(join(root, "c/tool"), 0o755);
  symlinkSync("loop", join(root, "loop"));
  return root;
}

/** Searches for a command in a new tree. @returns its path relative to the tree, or the status and the message of the error */
async function findInTree(command: string, searchPath?: (root: string) => string): Promise<string> {
  const root = makeTree();
  try {
    return (await findExecutable(command.replace("$", root), searchPath?.(root))).replace(root, "$");
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return `${error.status} ${error.message.replaceAll(root, "$")}`;
  }
}

test.each([
  ["behind folders and files without permission", "a:b:c", "$/c/tool"],
  ["behind what is not a folder", "c/tool:missing:c", "$/c/tool"],
  ["in two folders", "c:c/../c", "$/c/tool"],
  ["in a folder with a final slash", "c/", "$/c/tool"],
  ["that is a folder", "a", "126 tool: is a directory"],
  ["without permission to execute it", "b", "126 tool: permission denied"],
  ["that does not exist", "missing", "127 tool: command not found"],
])("the search for a program %s, on the search path %s, results in %s", async (_, path, expected) => {
  const absolute = (root: string): string =>
    path
      .split(":")
      .map((name) => `${root}/${name}`)
      .join(":");
  expect(await findInTree("tool", absolute)).toBe(expected);
});

test.each([[""], [":"], ["::"], ["/nowhere:"]])(
  "the search path %j does not mean the working directory",
  async (path) => {
    // package.json is a file of the working directory.
    expect(await findInTree("package.json", () => path)).toBe("127 package.json: command not found");
  },
);

test("without a search path a program is found in the system's folders", async () => {
  expect(await findInTree("sh")).toMatch(/^\/(?:usr\/)?bin\/sh$/);
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
])("the path %s leads to a program or an error without a search: %s", async (command, expected) => {
  expect(await findInTree(command)).toBe(expected);
});

test("a name that is too long for a file is an error, on the search path and as a path", async () => {
  const long = "x".repeat(256);
  expect(await findInTree(long, (root) => root)).toBe(`126 ${long}: the name is too long`);
  expect(await findInTree(`$/${long}`)).toBe(`126 $/${long}: the name is too long`);
});
