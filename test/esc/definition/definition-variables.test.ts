import { describe, expect, it } from "vitest";
import { findVariable, variableNames } from "../../../src/esc/definition/definition-variables.ts";
import { setVariables } from "../../../src/esc/definition/edit.ts";

/** Returns a definition with one variable, V. */
const withVariable = (value: string): string => `values:\n  environmentVariables:\n    V: ${value}\n`;

describe("a variable of a definition", () => {
  it.each<[written: string, kind: string, text: string]>([
    ["text", "value", '"text"'],
    ["'it''s'", "value", '"it\'s"'],
    ['"8080"', "value", '"8080"'],
    ["8080", "value", "8080"],
    ["1.50", "value", "1.50"],
    ["0x1F", "value", "0x1F"],
    ["12345678901234567890123", "value", "12345678901234567890123"],
    ["true", "value", "true"],
    ["~", "value", "~"],
    ["", "value", ""],
    ["|\n      a\n      b", "value", String.raw`"a\nb\n"`],
    [
      '"\\u0085\\u2028\\u2029\\u007F\\u009F\\uFEFF\\uFFFE\\uFFFF\\u00A0"',
      "value",
      '"\\u0085\\u2028\\u2029\\u007f\\u009f\\ufeff\\ufffe\\uffff\u00A0"',
    ],
    // ESC's parser reads these as numbers, so they stay without quotes.
    ["1_000", "value", "1_000"],
    ["-0b11", "value", "-0b11"],
    ["+1:30", "value", "+1:30"],
    [".5_0", "value", ".5_0"],
    ['"1_000"', "value", '"1_000"'],
    ["!!str 1_000", "value", '"1_000"'],
    ["a1_000", "value", '"a1_000"'],
    ["1_", "value", "1_"],
    ["1_-", "value", '"1_-"'],
    ["1 000", "value", '"1 000"'],
    ["${a.b}", "reference", '"${a.b}"'],
    ["x$${a}${b}", "reference", '"x$${a}${b}"'],
    ["$$${a}", "reference", '"$$${a}"'],
    ["$${a}", "value", '"$${a}"'],
    ["$a{b}", "value", '"$a{b}"'],
    ["[a, {b: [1]}]", "value", '["a", {"b": [1]}]'],
    ["[]", "value", "[]"],
    ["{}", "value", "{}"],
    ["{? a, b: }", "value", '{"a": null, "b": }'],
    ["{fn::secret: s}", "secret", '{"fn::secret": "s"}'],
    ["{fn::secret: {ciphertext: c}}", "secret", '{"fn::secret": {"ciphertext": "c"}}'],
    ["{fn::rotate::p: {}}", "rotated", '{"fn::rotate::p": {}}'],
    ["{fn::rotate: {}}", "rotated", '{"fn::rotate": {}}'],
    ["{fn::open::p: {}}", "function", '{"fn::open::p": {}}'],
    ["{a: {fn::secret: s}}", "value", '{"a": {"fn::secret": "s"}}'],
    ["{xfn::open: 1}", "value", '{"xfn::open": 1}'],
    ["&a text", "reference", '"text"'],
    ["[&a text]", "reference", '["text"]'],
  ])("%j is of kind %s, and on one line it is %s", (written, kind, text) => {
    expect(findVariable({ yaml: withVariable(written) }, "V")).toEqual({ kind, text });
  });

  it("is a reference if it is an alias", () => {
    const definition = { yaml: "values:\n  a: &a 1\n  environmentVariables: {V: *a}\n" };
    expect(findVariable(definition, "V")).toEqual({ kind: "reference", text: "null" });
  });

  it.each(["1_000", "{fn::secret: {ciphertext: c}}", '["${a}", {b: 1.50}]', '"it\'s \\u2028"'])(
    "keeps its value if its text is set in another revision: %s",
    (written) => {
      const text = findVariable({ yaml: withVariable(written) }, "V")?.text ?? "";
      const edited = setVariables(withVariable("other"), [{ kind: "node", name: "V", text }]);
      expect(edited).toBe(withVariable(text));
      expect(findVariable({ yaml: edited }, "V")).toEqual(findVariable({ yaml: withVariable(written) }, "V"));
    },
  );

  it.each<[what: string, yaml: string, names: readonly string[]]>([
    ["an empty text", "", []],
    ["imports alone", "imports: [a]\n", []],
    ["values without variables", "values: {a: {B: 1}}\n", []],
    ["variables without a mapping", "values:\n  environmentVariables: ${a}\n", []],
    [
      "variables and other values",
      "values:\n  C: 1\n  environmentVariables:\n    B: 1\n    A: {X: 2}\n    1: 3\n",
      ["B", "A", "1"],
    ],
  ])("is listed, in the order of the text: %s", (_, yaml, names) => {
    const definition = { yaml };
    expect([...variableNames(definition)]).toEqual(names);
    expect(findVariable(definition, "X")).toBeUndefined();
    expect(findVariable(definition, "C")).toBeUndefined();
  });
});
