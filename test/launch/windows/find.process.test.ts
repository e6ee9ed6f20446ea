import { expect, test } from "vitest";
import { findOnWindows } from "../../../src/launch/windows/find.ts";

/** Existing files, with their error codes. */
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

function problemOf(path: string): string | undefined {
  const known = Object.keys(FILES).find((name) => name.toLowerCase() === path.toLowerCase());
  return known === undefined ? "ENOENT" : FILES[known];
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
])("%s", (command, expected) => {
  const environment = new Map([
    ["Path", '"C:\\a;b";;C:\\bin'],
    ["PathExt", ".exe;.cmd"],
  ]);
  const found = findOnWindows(command, environment, problemOf);
  expect("file" in found ? found.file : found.problem).toBe(expected);
});

test("without PATHEXT the default endings apply", () => {
  expect(findOnWindows("npm", new Map([["PATH", "C:\\bin"]]), problemOf)).toEqual({ file: "C:\\bin\\npm.CMD" });
});
