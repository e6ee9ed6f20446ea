import { expect, test } from "vitest";
import { findOnWindows } from "../../../src/launch/windows/find.ts";

/** Files that exist, each with the error code for its execution, or undefined if it can be executed. */
const FILES: Readonly<Record<string, string | undefined>> = {
  "C:\\bin\\node.exe": undefined,
  "C:\\bin\\npm": undefined, // begins with #!
  "C:\\bin\\npm.cmd": undefined,
  "C:\\bin\\script": undefined,
  "C:\\bin\\tool.js.exe": undefined,
  "C:\\bin\\data": "ENOEXEC",
  "C:\\a;b\\odd.exe": undefined,
  ".\\here.cmd": undefined,
  "D:\\folder": "EISDIR",
};

function findFileError(path: string): string | undefined {
  const knownPath = Object.keys(FILES).find((name) => name.toLowerCase() === path.toLowerCase());
  return knownPath === undefined ? "ENOENT" : FILES[knownPath];
}

test.each([
  ["node", "C:\\bin\\node.exe"],
  ["node.exe", "C:\\bin\\node.exe"],
  ["npm", "C:\\bin\\npm.cmd"],
  ["script", "C:\\bin\\script"],
  ["tool.js", "C:\\bin\\tool.js.exe"],
  ["odd", "C:\\a;b\\odd.exe"],
  ["C:\\bin\\node", "C:\\bin\\node.exe"],
  ["data", "ENOEXEC"],
  ["D:\\folder", "EISDIR"],
  ["C:\\bin\\none.exe", "ENOENT"],
  ["none", "NOT_ON_PATH"],
  ["here", "NOT_ON_PATH"],
  ["", "NOT_ON_PATH"],
])("on Windows the command %s leads to %s", (command, expected) => {
  const environment = new Map([
    ["Path", '"C:\\a;b";;C:\\bin'],
    ["PathExt", ".exe;.cmd"],
  ]);
  const result = findOnWindows(command, environment, findFileError);
  expect("file" in result ? result.file : result.problem).toBe(expected);
});

test("on Windows a command without an ending is found by the default endings if PATHEXT is not set", () => {
  expect(findOnWindows("npm", new Map([["PATH", "C:\\bin"]]), findFileError)).toEqual({ file: "C:\\bin\\npm.CMD" });
});
