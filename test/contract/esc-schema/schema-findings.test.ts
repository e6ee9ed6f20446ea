import { describe, expect, it } from "vitest";
import { areNamesDeclared, sortFindings, deriveViolations } from "../../../src/contract/esc-schema/schema-findings.ts";
import { createContractSchema } from "../../../src/contract/esc-schema/contract-schema.ts";
import type { EscSchema } from "../../../src/contract/esc-schema/esc-schema.ts";
import type { Diagnostic } from "../../../src/core/model.ts";
import { contractOf } from "../contracts.ts";

const RULE_PATH = 'values.contract["fn::validate"].value';

const createFinding = (path: string, summary: string): Diagnostic => ({ severity: "error", path, summary });
const ofValue = (name: string, summary: string): Diagnostic =>
  createFinding(`values.environmentVariables.${name}`, summary);

/** Returns the patterns of a variable in the schema that is generated from a contract. */
function patternsOf(document: unknown, name: string): readonly string[] {
  const enforcement = { isEnforced: () => true, variablesFromFiles: new Set<string>(), title: "", description: "" };
  const patterns = (schema: EscSchema | undefined): readonly string[] =>
    schema === undefined
      ? []
      : [...(schema.pattern === undefined ? [] : [schema.pattern]), ...(schema.anyOf ?? []).flatMap(patterns)];
  return patterns(createContractSchema(contractOf(document), enforcement).schema.properties?.[name]);
}

/**
 * Returns what ESC reports about a value that does not match a pattern. sophia-run cuts the report at 300 characters.
 */
function mismatchText(pattern: string): string {
  const text = `string must match the pattern ${JSON.stringify(pattern)}`;
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

describe("a finding of ESC about the value of a variable becomes the contract's violation", () => {
  const text = { type: "text", prefix: ["sk-", "pk-"], minLength: 20, pattern: "[a-z-]*" };
  const document = { variables: { KEY: { required: true, format: text } } };

  it.each([
    [0, { kind: "prefix", prefixes: ["sk-", "pk-"] }],
    [1, { kind: "pattern", pattern: "[a-z-]*" }],
    [2, { kind: "too-short", minLength: 20 }],
  ])("if it names pattern %i of the variable's schema", (index, fault) => {
    const pattern = patternsOf(document, "KEY")[index] ?? "";
    const findings = sortFindings([
      ofValue("KEY", mismatchText(pattern)),
      ofValue("KEY", "expected number, got string"),
    ]);
    expect(deriveViolations(contractOf(document), findings)).toEqual([{ kind: "malformed", name: "KEY", fault }]);
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
  ])("if it names the pattern of a format: %j", (format, fault) => {
    const own = { variables: { VALUE: { format } } };
    const findings = sortFindings(patternsOf(own, "VALUE").map((pattern) => ofValue("VALUE", mismatchText(pattern))));
    expect(deriveViolations(contractOf(own), findings)).toEqual([{ kind: "malformed", name: "VALUE", fault }]);
  });

  it("of a missing value if the variable has no format", () => {
    const own = { variables: { KEY: { required: true } } };
    const findings = sortFindings([ofValue("KEY", mismatchText(patternsOf(own, "KEY")[0] ?? ""))]);
    expect(deriveViolations(contractOf(own), findings)).toMatchObject([{ kind: "missing", name: "KEY" }]);
  });

  it("of a refused value if it names the pattern of another contract", () => {
    const findings = sortFindings([ofValue("KEY", mismatchText("^other$"))]);
    expect(deriveViolations(contractOf(document), findings)).toEqual([{ kind: "refused", name: "KEY" }]);
  });

  it("about the variable if it is about an alias", () => {
    const own = { variables: { PORT: { format: "port", aliases: ["OLD_PORT"] } } };
    const findings = sortFindings([ofValue("OLD_PORT", "expected a multiple of 1")]);
    expect(areNamesDeclared(contractOf(own), findings)).toBe(true);
    expect(deriveViolations(contractOf(own), findings)).toMatchObject([{ kind: "malformed", name: "PORT" }]);
  });
});

describe("a finding of ESC about all values together becomes a violation that", () => {
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
  const unmet = createFinding(RULE_PATH, "at least one subschema must match");

  it("names what is missing", () => {
    const findings = sortFindings([createFinding(RULE_PATH, "missing required properties: A")]);
    expect(deriveViolations(contract, findings)).toMatchObject([{ kind: "missing", name: "A" }]);
  });

  it("names a group in which no variable is set", () => {
    const missing = ["B", "C"].map((name) => createFinding(RULE_PATH, `missing required properties: ${name}`));
    expect(deriveViolations(contract, sortFindings([...missing, unmet]))).toMatchObject([
      { kind: "none-set", rule: { names: ["B", "C"] } },
    ]);
  });

  it("names the variable that a condition requires", () => {
    const findings = sortFindings([
      createFinding(RULE_PATH, "missing required properties: D"),
      ofValue("MODE", 'expected "off"'),
      unmet,
    ]);
    expect(deriveViolations(contract, findings)).toContainEqual(
      expect.objectContaining({ kind: "missing-when", name: "D" }),
    );
  });

  it("does not belong to the contract if the finding has a name that is not declared", () => {
    expect(areNamesDeclared(contract, sortFindings([ofValue("Z", "expected string, got number")]))).toBe(false);
    expect(areNamesDeclared(contract, sortFindings([createFinding(RULE_PATH, "missing required properties: Z")]))).toBe(
      false,
    );
    expect(areNamesDeclared(contract, sortFindings([ofValue("A", "expected string, got number"), unmet]))).toBe(true);
  });
});
