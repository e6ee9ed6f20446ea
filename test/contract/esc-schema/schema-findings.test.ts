import { describe, expect, it } from "vitest";
import { areDeclared, sortFindings, violationsOfFindings } from "../../../src/contract/esc-schema/schema-findings.ts";
import { contractSchema } from "../../../src/contract/esc-schema/contract-schema.ts";
import type { EscSchema } from "../../../src/contract/esc-schema/esc-schema.ts";
import type { Diagnostic } from "../../../src/core/model.ts";
import { contractOf } from "../contracts.ts";

const RULE_PATH = 'values.contract["fn::validate"].value';

const finding = (path: string, summary: string): Diagnostic => ({ severity: "error", path, summary });
const ofValue = (name: string, summary: string): Diagnostic => finding(`values.environmentVariables.${name}`, summary);

/** The patterns of a variable in the schema that a contract gives. */
function patternsOf(document: unknown, name: string): readonly string[] {
  const enforcement = { isEnforced: () => true, files: new Set<string>(), title: "", description: "" };
  const patterns = (schema: EscSchema | undefined): readonly string[] =>
    schema === undefined
      ? []
      : [...(schema.pattern === undefined ? [] : [schema.pattern]), ...(schema.anyOf ?? []).flatMap(patterns)];
  return patterns(contractSchema(contractOf(document), enforcement).schema.properties?.[name]);
}

/** What ESC says about a value that does not match a pattern; the launcher cuts it at 300 characters. */
function mismatch(pattern: string): string {
  const text = `string must match the pattern ${JSON.stringify(pattern)}`;
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

describe("what ESC finds about a value that is not known becomes the violation of the contract", () => {
  const text = { type: "text", prefix: ["sk-", "pk-"], minLength: 20, pattern: "[a-z-]*" };
  const document = { variables: { KEY: { required: true, format: text } } };

  it.each([
    [0, { kind: "prefix", prefixes: ["sk-", "pk-"] }],
    [1, { kind: "pattern", pattern: "[a-z-]*" }],
    [2, { kind: "too-short", minLength: 20 }],
  ])("by the pattern of its schema: %i", (index, fault) => {
    const pattern = patternsOf(document, "KEY")[index] ?? "";
    const findings = sortFindings([ofValue("KEY", mismatch(pattern)), ofValue("KEY", "expected number, got string")]);
    expect(violationsOfFindings(contractOf(document), findings)).toEqual([{ kind: "malformed", name: "KEY", fault }]);
  });

  it.each([
    ["port", { kind: "not-port" }],
    [
      { type: "integer", minimum: 3 },
      { kind: "out-of-range", minimum: 3 },
    ],
    [
      { type: "url", schemes: ["postgresql"] },
      { kind: "scheme", schemes: ["postgresql"] },
    ],
    ["email", { kind: "not-email" }],
  ])("by its format: %j", (format, fault) => {
    const own = { variables: { VALUE: { format } } };
    const findings = sortFindings(patternsOf(own, "VALUE").map((pattern) => ofValue("VALUE", mismatch(pattern))));
    expect(violationsOfFindings(contractOf(own), findings)).toEqual([{ kind: "malformed", name: "VALUE", fault }]);
  });

  it("without a format it is empty", () => {
    const own = { variables: { KEY: { required: true } } };
    const findings = sortFindings([ofValue("KEY", mismatch(patternsOf(own, "KEY")[0] ?? ""))]);
    expect(violationsOfFindings(contractOf(own), findings)).toMatchObject([{ kind: "missing", name: "KEY" }]);
  });

  it("by the schema of another contract it is refused", () => {
    const findings = sortFindings([ofValue("KEY", mismatch("^other$"))]);
    expect(violationsOfFindings(contractOf(document), findings)).toEqual([{ kind: "refused", name: "KEY" }]);
  });

  it("under an alias it is about the variable", () => {
    const own = { variables: { PORT: { format: "port", aliases: ["OLD_PORT"] } } };
    const findings = sortFindings([ofValue("OLD_PORT", "expected a multiple of 1")]);
    expect(areDeclared(contractOf(own), findings)).toBe(true);
    expect(violationsOfFindings(contractOf(own), findings)).toMatchObject([{ kind: "malformed", name: "PORT" }]);
  });
});

describe("what ESC finds about all values together", () => {
  const document = {
    variables: {
      A: { required: true },
      B: {},
      C: {},
      MODE: { format: { type: "enum", values: ["on", "off"] } },
      D: { required: { when: "MODE", equals: "on" } },
    },
    groups: { one: { rule: "one-of", variables: ["B", "C"] } },
  };
  const contract = contractOf(document);
  const unmet = finding(RULE_PATH, "at least one subschema must match");

  it("names what is missing", () => {
    const findings = sortFindings([finding(RULE_PATH, "missing required properties: A")]);
    expect(violationsOfFindings(contract, findings)).toMatchObject([{ kind: "missing", name: "A" }]);
  });

  it("names a group of which nothing is set", () => {
    const missing = ["B", "C"].map((name) => finding(RULE_PATH, `missing required properties: ${name}`));
    expect(violationsOfFindings(contract, sortFindings([...missing, unmet]))).toMatchObject([
      { kind: "none-set", rule: { names: ["B", "C"] } },
    ]);
  });

  it("names a condition", () => {
    const findings = sortFindings([
      finding(RULE_PATH, "missing required properties: D"),
      ofValue("MODE", 'expected "off"'),
      unmet,
    ]);
    expect(violationsOfFindings(contract, findings)).toContainEqual(
      expect.objectContaining({ kind: "missing-when", name: "D" }),
    );
  });

  it("a name that is not declared makes it another's", () => {
    expect(areDeclared(contract, sortFindings([ofValue("Z", "expected string, got number")]))).toBe(false);
    expect(areDeclared(contract, sortFindings([finding(RULE_PATH, "missing required properties: Z")]))).toBe(false);
    expect(areDeclared(contract, sortFindings([ofValue("A", "expected string, got number"), unmet]))).toBe(true);
  });
});
