import { expect, test } from "vitest";
import { quoteForBatch, windowsSpawnArguments } from "../../../src/launch/windows/windows-command-line.ts";

test.each([
  ["", '""'],
  ["a b", '"a b"'],
  ['say "hi"', '"say ""hi"""'],
  ['\\"', '"\\\\"""'],
  ["C:\\folder\\", '"C:\\folder\\\\"'],
  ["%PATH%", '"%%cd:~,%PATH%%cd:~,%"'],
  ["\\%", '"\\%%cd:~,%"'],
  ['"& calc &"', '"""& calc &"""'],
])("the argument %s of a batch file is quoted as %s", (argument, quoted) => {
  expect(quoteForBatch(argument, 1, "a.cmd")).toBe(quoted);
});

test("the system's cmd.exe starts a batch file, and an .exe file is started itself", () => {
  const environment = new Map([["systemroot", "D:\\Windows"]]);
  expect(windowsSpawnArguments({ file: "C:\\a b\\t.cmd", argv: ["t", "x", "y z"], environment })).toEqual({
    file: "D:\\Windows\\System32\\cmd.exe",
    args: ["/e:on", "/v:off", "/d", "/s", "/c", '""C:\\a b\\t.cmd" "x" "y z""'],
    windowsVerbatimArguments: true,
  });
  const program = { file: "C:\\node.EXE", argv: ["node", "%PATH%"], environment } as const;
  expect(windowsSpawnArguments(program)).toEqual({ file: "C:\\node.EXE", args: ["%PATH%"] });
});

test("a line break in an argument of a batch file is an error that contains the argument's number, not its text", () => {
  expect(() => quoteForBatch("one\ntwo", 3, "C:\\t.cmd")).toThrow(
    expect.objectContaining({ status: 125, message: expect.stringMatching(/^argument 3 has a line break/) }),
  );
});
