import { describe, expect, test } from "vitest";
import { type EnforceRequest, parseRequest } from "../../../src/commands/enforce/enforce-request.ts";
import type { Values } from "../../../src/command-line/options.ts";

const ALL = { only: [], except: [] };

test.each<[options: Values, request: EnforceRequest]>([
  [{}, { purpose: "write", key: undefined, selection: ALL }],
  [{ check: true }, { purpose: "check", key: undefined, selection: undefined }],
  [{ remove: true }, { purpose: "remove", key: undefined, selection: ALL }],
  [{ key: "_a-1" }, { purpose: "write", key: "_a-1", selection: ALL }],
  [
    { key: "Schema", check: true },
    { purpose: "check", key: "Schema", selection: undefined },
  ],
  [
    { key: "Schema", remove: true },
    { purpose: "remove", key: "Schema", selection: ALL },
  ],
  [
    { only: ["PORT,DB_*", "X"], except: ["DB_A"] },
    { purpose: "write", key: undefined, selection: { only: ["PORT", "DB_*", "X"], except: ["DB_A"] } },
  ],
  [{ except: ["A,B"] }, { purpose: "write", key: undefined, selection: { only: [], except: ["A", "B"] } }],
  [
    { only: ["A"], check: true },
    { purpose: "check", key: undefined, selection: { only: ["A"], except: [] } },
  ],
  [
    { except: ["A"], check: true },
    { purpose: "check", key: undefined, selection: { only: [], except: ["A"] } },
  ],
  // Only one of the globs must match the name of a variable.
  [{ only: [",A"] }, { purpose: "write", key: undefined, selection: { only: ["", "A"], except: [] } }],
  // What is removed does not depend on the selection.
  [
    { only: [""], remove: true },
    { purpose: "remove", key: undefined, selection: { only: [""], except: [] } },
  ],
])("enforce with %j means %j", (options, request) => {
  expect(parseRequest(options)).toEqual(request);
});

describe("enforce refuses", () => {
  const KEY = ["--key takes a name of letters, digits, _ and -", "leave it out for the key contract"] as const;
  const ONLY = [
    "--only matches no name of a variable",
    "* stands for any characters, ? for one: --only 'DB_*'",
  ] as const;
  test.each<[options: Values, message: string, hint: string]>([
    [{ check: true, remove: true }, "--check and --remove cannot be used together", "leave one of them out"],
    ...["", "1a", "-a", "a b", "a.b", "a\n", "ä"].map((key): [Values, string, string] => [{ key }, ...KEY]),
    ...["environmentVariables", "files", "pulumiConfig"].map((key): [Values, string, string] => [
      { key },
      `--key: ESC itself gives ${key} a meaning`,
      "choose another name, or leave it out for the key contract",
    ]),
    [{ only: [""] }, ...ONLY],
    [{ only: [",", ""], check: true }, ...ONLY],
  ])("%j", (options, message, hint) => {
    expect(() => parseRequest(options)).toThrow(expect.objectContaining({ code: "usage", message, hint }));
  });
});
