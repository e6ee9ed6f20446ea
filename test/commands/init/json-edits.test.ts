import { expect, test } from "vitest";
import { formattingOf } from "../../../src/commands/init/json-edits.ts";

test.each([
  ["two spaces", '{\n  "name": "a"\n}', { insertSpaces: true, tabSize: 2, eol: "\n" }],
  ["four spaces", '{\n    "name": "a"\n}', { insertSpaces: true, tabSize: 4, eol: "\n" }],
  ["tabs", '{\n\t"name": "a"\n}', { insertSpaces: false, tabSize: 1, eol: "\n" }],
  ["line breaks of Windows", '{\r\n   "name": "a"\r\n}', { insertSpaces: true, tabSize: 3, eol: "\r\n" }],
  ["a single line", '{"name":"a"}', { insertSpaces: true, tabSize: 2, eol: "\n" }],
])("the formatting of a JSON file with %s is found", (_, text, formatting) => {
  expect(formattingOf(text)).toEqual(formatting);
});
