import { describe, expect, it } from "vitest";
import type { VariableChange } from "../../../src/esc/definition/definition-variables.ts";
import { applySplices, setVariables } from "../../../src/esc/definition/edit.ts";

const secret = (name: string, value: string): VariableChange => ({ kind: "value", name, value, secret: true });
const plain = (name: string, value: string): VariableChange => ({ kind: "value", name, value, secret: false });
const node = (name: string, text: string): VariableChange => ({ kind: "node", name, text });

const refusal = (yaml: string, changes: readonly VariableChange[]): string => {
  try {
    setVariables(yaml, changes);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "not refused";
};

describe("changes of a definition", () => {
  it.each<[what: string, before: string, changes: readonly VariableChange[], after: string]>([
    [
      "several new and existing variables, in one go",
      "values:\n  environmentVariables:\n    B: old # b\n    A: [1,\n      2]\n",
      [secret("N1", "s"), plain("A", "a"), node("true", "1_000"), plain("B", "b"), plain("x-y", "z")],
      'values:\n  environmentVariables:\n    B: "b" # b\n    A: "a"\n    N1:\n      fn::secret: "s"\n    "true": 1_000\n    "x-y": "z"\n',
    ],
    [
      "a text whose last line has no line break, with CRLF",
      "imports:\r\n  - a",
      [plain("A", "1"), secret("B", "2")],
      'imports:\r\n  - a\r\nvalues:\r\n  environmentVariables:\r\n    A: "1"\r\n    B:\r\n      fn::secret: "2"',
    ],
    [
      "comments whose last line has no line break",
      "# c",
      [plain("A", "1")],
      '# c\nvalues:\n  environmentVariables:\n    A: "1"\n',
    ],
    ["null for values", "values: # c\n", [plain("A", "1")], 'values: # c\n  environmentVariables:\n    A: "1"\n'],
    [
      "null for values, and no line break",
      "values:",
      [plain("A", "1")],
      'values:\n  environmentVariables:\n    A: "1"',
    ],
    [
      "null for values before another entry, with CRLF",
      "values:\r\nx: 1\r\n",
      [plain("A", "1")],
      'values:\r\n  environmentVariables:\r\n    A: "1"\r\nx: 1\r\n',
    ],
    [
      "an explicit null",
      "values:\n   environmentVariables: ~ # c\n   x: 1\n",
      [plain("A", "1"), plain("B", "2")],
      'values:\n   environmentVariables: # c\n     A: "1"\n     B: "2"\n   x: 1\n',
    ],
    ["null in JSON", '{"values":null}', [plain("A", "1")], '{"values": {"environmentVariables": {"A": "1"}}}'],
    [
      "null for the variables in JSON",
      '{"values": {"environmentVariables": null, "x": 1}}',
      [plain("A", "1"), secret("B", "2")],
      '{"values": {"environmentVariables": {"A": "1", "B": {"fn::secret": "2"}}, "x": 1}}',
    ],
    [
      "nothing for values in braces",
      "{values: , x: 1}",
      [plain("A", "1")],
      '{values: {"environmentVariables": {"A": "1"}} , x: 1}',
    ],
    [
      "empty variables in JSON",
      '{"values": {"environmentVariables": { } }}',
      [plain("A", "1"), plain("B", "2")],
      '{"values": {"environmentVariables": {"A": "1", "B": "2" } }}',
    ],
    [
      "no variables in JSON",
      '{"values": {"x": 1}}',
      [plain("A", "1"), plain("B", "2")],
      '{"values": {"x": 1, "environmentVariables": {"A": "1", "B": "2"}}}',
    ],
    [
      "existing values in JSON",
      '{"values": {"environmentVariables": {"A":1, "B": {"fn::secret":"x"}, "C":{"fn::secret": {"ciphertext": "c"}}}}}',
      [plain("A", "a"), plain("B", "b"), secret("C", "c")],
      '{"values": {"environmentVariables": {"A": "a", "B": {"fn::secret": "b"}, "C":{"fn::secret": "c"}}}}',
    ],
    [
      "a variable without a value in braces",
      "values: {environmentVariables: {A: , B}}\n",
      [plain("A", "a")],
      'values: {environmentVariables: {A: "a" , B}}\n',
    ],
    [
      "a mapping with two entries, which is no secret",
      "values:\n  environmentVariables:\n    A: {fn::secret: x, y: 1}\n",
      [plain("A", "a")],
      'values:\n  environmentVariables:\n    A: "a"\n',
    ],
    [
      "a mapping in block style, whose comments move",
      "values:\n  environmentVariables:\n    A:\n      x: 1 # one\n      # two\n      y:\n        - 2 # three\n    B: 1\n",
      [plain("A", "a")],
      'values:\n  environmentVariables:\n    A: "a" # one # two # three\n    B: 1\n',
    ],
    [
      "a secret in block style, by a text of another revision",
      "values:\n  environmentVariables:\n    A:\n      fn::secret: x\n",
      [node("A", '{"fn::secret": {"ciphertext": "c"}}')],
      'values:\n  environmentVariables:\n    A: {"fn::secret": {"ciphertext": "c"}}\n',
    ],
    [
      "a last entry without a value",
      "values:\n  environmentVariables:\n    A: # c\n    B:\n",
      [plain("C", "c")],
      'values:\n  environmentVariables:\n    A: # c\n    B:\n    C: "c"\n',
    ],
    [
      "a last entry whose value is empty and has a comment",
      "values:\n  environmentVariables:\n    B:   # c\n\n# end\n",
      [plain("C", "c")],
      'values:\n  environmentVariables:\n    B:   # c\n    C: "c"\n\n# end\n',
    ],
    [
      "a last value of several lines",
      "values:\n  environmentVariables:\n    A:\n      - {x: [1,\n         2]} # c\n  z: 1\n",
      [plain("C", "c")],
      'values:\n  environmentVariables:\n    A:\n      - {x: [1,\n         2]} # c\n    C: "c"\n  z: 1\n',
    ],
    [
      "a last value that ends with an empty list item",
      "values:\n  environmentVariables:\n    A:\n      - 1\n      -\nz: 1\n",
      [plain("C", "c")],
      'values:\n  environmentVariables:\n    A:\n      - 1\n      -\n    C: "c"\nz: 1\n',
    ],
    ["nothing", "values:\n  environmentVariables:\n    A: 1\n", [], "values:\n  environmentVariables:\n    A: 1\n"],
  ])("keep the rest byte for byte: %s", (_, before, changes, after) => {
    expect(setVariables(before, changes)).toBe(after);
  });

  it.each<[what: string, yaml: string, changes: readonly VariableChange[], why: string]>([
    [
      "a variable twice",
      "values:\n  environmentVariables:\n    A: 1\n",
      [plain("A", "a"), plain("A", "b")],
      "two places to change overlap",
    ],
    [
      "a new variable twice",
      "values:\n  environmentVariables:\n    A: 1\n",
      [plain("B", "a"), plain("B", "b")],
      "its form is unusual, and something else would change, too",
    ],
    [
      "a comment between an explicit key and the colon",
      "values:\n  environmentVariables:\n    ? A # c\n    : 1\n",
      [plain("A", "a")],
      "an entry of an unusual form",
    ],
    [
      "an explicit key without a colon",
      "values:\n  environmentVariables:\n    ? A\n",
      [plain("A", "a")],
      "an entry of an unusual form",
    ],
    ["a tag", "values:\n  environmentVariables:\n    A: !!str 1\n", [plain("A", "a")], "an entry of an unusual form"],
    [
      "comments within braces",
      "values: {environmentVariables: {A: [1, # c\n  2]}}\n",
      [plain("A", "a")],
      "a value to replace has comments inside",
    ],
    [
      "an anchor on a key",
      "values:\n  environmentVariables:\n    &k A: 1\n",
      [plain("A", "a")],
      "a value to replace has an anchor or is an alias",
    ],
    [
      "an anchor on the top",
      "&a\nvalues:\n  x: 1\n",
      [plain("A", "a")],
      " has an anchor, by which other places may have it",
    ],
    [
      "an anchor on the values",
      "values: &a\n  x: 1\n",
      [plain("A", "a")],
      "values has an anchor, by which other places may have it",
    ],
    [
      "an anchor on the variables",
      "values:\n  environmentVariables: &a\n    B: 1\n",
      [plain("A", "a")],
      "values.environmentVariables has an anchor, by which other places may have it",
    ],
    ["a function for the values", "values:\n  fn::x: 1\n", [plain("A", "a")], "values is a function"],
    [
      "a function beside another variable",
      "values:\n  environmentVariables:\n    B: 1\n    fn::x: 1\n",
      [plain("A", "a")],
      "values.environmentVariables is a function",
    ],
    ["a text for the values", "values: x\n", [plain("A", "a")], "values is not a mapping"],
    ["a list for the values", "values: []\n", [plain("A", "a")], "values is not a mapping"],
    [
      "a text for the variables",
      "values:\n  environmentVariables: x\n",
      [plain("A", "a")],
      "values.environmentVariables is not a mapping",
    ],
    [
      "an empty mapping with an anchor",
      "values:\n  environmentVariables: &a {}\n  x: *a\n",
      [plain("A", "a")],
      "values.environmentVariables is not a mapping",
    ],
    [
      "a last value that would get a line break",
      "values:\n  environmentVariables:\n    B: |\n      b",
      [plain("A", "a")],
      "its last value would get a line break, since its last line has none",
    ],
  ])("are refused, with the reason: %s", (_, yaml, changes, why) => {
    expect(refusal(yaml, changes)).toBe(`the definition is not changed: ${why}`);
  });
});

it("pieces of a text are replaced in the order of the text, and may touch", () => {
  const splices = [
    { start: 4, end: 4, text: "!" },
    { start: 2, end: 4, text: "" },
    { start: 0, end: 2, text: "xyz" },
  ];
  expect(applySplices("abcdef", splices)).toBe("xyz!ef");
  expect(applySplices("abcdef", [])).toBe("abcdef");
});
