import { expect, test } from "vitest";
import { createValueSchema } from "../../../src/contract/esc-schema/value-schema.ts";
import { contractOf } from "../contracts.ts";

/** Returns true if the schema of a text allows a number, which ESC stores if the value has no quotes. */
function allowsNumber(format: Readonly<Record<string, unknown>>): boolean {
  const declaration = contractOf({ variables: { CODE: { format: { type: "text", ...format } } } }).variables.get(
    "CODE",
  );
  const { alternatives } = createValueSchema(declaration ?? {}, true);
  return alternatives.some((schema) => "type" in schema && schema.type === "number");
}

test.each([
  [{ pattern: "^[0-9]{4}$" }],
  [{ pattern: "^(?:yes|-?[0-9]+)$" }],
  [{ pattern: "^x*[0-9]$" }],
  [{ prefix: "12" }],
  [{ minLength: 3 }],
])("the schema of a text with %j allows a number", (format) => {
  expect(allowsNumber(format)).toBe(true);
});

test.each([
  [{ pattern: "^sk_[0-9]+$" }],
  [{ pattern: "^(?:yes|no)$" }],
  [{ pattern: "^x+[0-9]$" }],
  [{ prefix: "sk-" }],
  [{ prefix: "12", pattern: "^12[a-d]$" }],
])("the schema of a text with %j allows no number", (format) => {
  expect(allowsNumber(format)).toBe(false);
});

test("the schema of an integer whose bound no expression can state allows the texts of all integers, and reports it", () => {
  const { variables } = contractOf({ variables: { SIZE: { format: { type: "integer", maximum: 2 ** 60 } } } });
  const { alternatives, gaps } = createValueSchema(variables.get("SIZE") ?? {}, true);
  const patterns = alternatives.flatMap((schema) => ("pattern" in schema ? [schema.pattern] : []));
  expect(gaps).toContain("range of a number in quotes");
  expect(patterns).toHaveLength(1);
  const [pattern = ""] = patterns;
  expect(["7", "-12", "+0"].every((text) => new RegExp(pattern).test(text))).toBe(true);
  expect(["", "x", "1x", "1.5"].some((text) => new RegExp(pattern).test(text))).toBe(false);
});
