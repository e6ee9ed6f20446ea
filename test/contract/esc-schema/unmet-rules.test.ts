/** What sophia-run concludes from the messages of ESC about rules over several variables, and about a value in such a rule. */
import { describe, expect, test } from "vitest";
import { canExplain, deriveViolations, sortFindings } from "../../../src/contract/esc-schema/schema-findings.ts";
import type { Diagnostic } from "../../../src/core/model.ts";
import { contractOf } from "../contracts.ts";

const RULE_PATH = 'values.contract["fn::validate"].value';

const aboutRule = (summary: string): Diagnostic => ({ severity: "error", path: RULE_PATH, summary });
const aboutValue = (name: string, summary: string): Diagnostic => ({
  severity: "error",
  path: `values.environmentVariables.${name}`,
  summary,
});
const missing = (...names: readonly string[]): Diagnostic =>
  aboutRule(`missing required propert${names.length === 1 ? "y" : "ies"}: ${names.join(", ")}`);
const UNMET = aboutRule("at least one subschema must match");

/** Returns the violations that follow from messages of ESC, each in short. */
function violationsFrom(document: unknown, ...diagnostics: readonly Diagnostic[]): readonly string[] {
  return deriveViolations(contractOf(document), sortFindings(diagnostics)).map((violation) => {
    if ("name" in violation) return `${violation.kind} ${violation.name}`;
    return "rule" in violation ? `${violation.kind} ${violation.rule.group}` : violation.kind;
  });
}

test("the messages of ESC are sorted by what they are about, and its warnings are ignored", () => {
  const ofPort = [aboutValue("PORT", "expected a multiple of 1"), aboutValue("PORT", "expected string, got number")];
  const warning: Diagnostic = { ...missing("OTHER"), severity: "warning" };
  expect(sortFindings([missing("A", "B"), ...ofPort, missing("B", "C"), warning])).toEqual({
    values: new Map([["PORT", ofPort]]),
    missing: ["A", "B", "C"],
    isRuleUnmet: false,
  });
  expect(sortFindings([UNMET, aboutValue("PORT", "expected string, got number")]).isRuleUnmet).toBe(true);
  expect(sortFindings(ofPort).isRuleUnmet).toBe(false);
});

test.each<[string, readonly Diagnostic[], boolean, boolean]>([
  ["a value that is wrong", [aboutValue("PORT", "expected a multiple of 1")], false, true],
  ["a rule, if all names in ESC are known", [UNMET], true, true],
  ["a rule, if the names in ESC are not known", [UNMET], false, false],
  ["a variable that the contract lacks", [missing("OTHER")], true, false],
  ["two variables, of which the contract lacks one", [missing("PORT", "OTHER")], true, false],
])(
  "a contract can explain messages about %s only if it has what they name",
  (_title, diagnostics, areKnown, expected) => {
    const contract = contractOf({ variables: { PORT: { format: "port" } } });
    expect(canExplain(contract, diagnostics, areKnown)).toBe(expected);
  },
);

test("a variable outside the selected scope belongs to the contract", () => {
  const contract = contractOf({ variables: { A: {}, B: {} } });
  const selected = { ...contract, scope: { name: "web", outside: new Set(["OUT"]) } };
  expect(canExplain(selected, [missing("OUT")], true)).toBe(true);
  expect(canExplain(contract, [missing("OUT")], true)).toBe(false);
});

describe("a group of which ESC lacks", () => {
  const documentOf = (rule: string) => ({
    variables: { X: {}, Y: { aliases: ["OLD_Y"] } },
    groups: { pair: { rule, variables: ["X", "Y"] } },
  });
  test.each(["one-of", "at-least-one", "exactly-one"])("all variables is not met with the rule %s", (rule) => {
    expect(violationsFrom(documentOf(rule), missing("X"), missing("Y"), missing("OLD_Y"), UNMET)).toEqual([
      "none-set pair",
    ]);
  });
  test("all variables may be met with the rule all-or-none", () => {
    expect(violationsFrom(documentOf("all-or-none"), missing("X", "Y", "OLD_Y"), UNMET)).toEqual([]);
  });
  test.each([[["X"]], [["X", "Y"]], [["X", "OLD_Y"]], [["Y", "OLD_Y"]]])("only %j may be met", (names) => {
    expect(violationsFrom(documentOf("exactly-one"), missing(...names), UNMET)).toEqual([]);
  });
});

describe("a condition explains that a variable is missing", () => {
  const document = {
    variables: {
      MODE: { format: { type: "enum", values: ["on", "off"] } },
      A: { required: { when: "MODE", equals: "on" } },
      X: {},
      Y: {},
    },
    groups: { pair: { rule: "one-of", variables: ["X", "Y"] } },
  };
  test("if a rule is not met, and the variable is missing", () => {
    expect(violationsFrom(document, missing("A"), UNMET)).toEqual(["missing-when A"]);
    expect(violationsFrom(document, missing("A"))).toEqual([]);
    expect(violationsFrom(document, UNMET)).toEqual([]);
  });
  test("unless a group explains the rule that is not met", () => {
    expect(violationsFrom(document, missing("A", "X", "Y"), UNMET)).toEqual(["none-set pair"]);
  });
  test("unless the variable of the condition has a wrong value", () => {
    const wrong = aboutValue("MODE", 'expected one of ["on","off"]');
    expect(violationsFrom(document, missing("A"), wrong, UNMET)).toEqual(["malformed MODE"]);
  });
});

test("a variable is missing only if ESC lacks its name and each alias", () => {
  const document = { variables: { A: { required: true, aliases: ["OLD_A"] }, B: { required: true } } };
  expect(violationsFrom(document, missing("A"))).toEqual([]);
  expect(violationsFrom(document, missing("A", "OLD_A", "B", "OTHER"))).toEqual(["missing A", "missing B"]);
});

describe("a message about a value in a rule that is not met", () => {
  const values = { type: "enum", values: ["on", "off"] };
  const document = {
    variables: {
      MODE: { format: values },
      A: { required: { when: "MODE", equals: "on" } },
      KEY: { format: { type: "text", prefix: "sk-" } },
      Y: {},
      PORT: { format: "port" },
      ONE: { format: { type: "enum", values: ["only"] } },
      LONG: { format: { type: "enum", values: ["a".repeat(200), "b".repeat(200)] } },
      OUTSIDE: { format: { type: "text", prefix: "pk-" } },
    },
    groups: { all: { rule: "all-or-none", variables: ["KEY", "Y", "PORT", "ONE", "LONG"] } },
  };
  const mismatch = "string must match the pattern ";
  const ofLong = `expected one of ${JSON.stringify(["a".repeat(200), "b".repeat(200)])}`;

  test.each([
    // The rule requires another value than the format does.
    ["MODE", 'expected "off"', []],
    ["MODE", 'expected one of ["on","off"]', ["malformed MODE"]],
    ["A", `${mismatch}"^$"`, []],
    ["PORT", `${mismatch}"^$"`, []],
    ["PORT", "expected a multiple of 1", ["malformed PORT"]],
    ["PORT", "expected number, got string", []],
    ["ONE", 'expected "only"', ["malformed ONE"]],
    ["ONE", 'expected one of ["only"]', []],
    ["LONG", ofLong, ["malformed LONG"]],
    ["LONG", `${ofLong.slice(0, 300)}…`, ["malformed LONG"]],
    ["LONG", ofLong.slice(0, 240), []],
    ["KEY", `${mismatch}"^(?:sk-)"`, ["malformed KEY"]],
    ["KEY", `${mismatch}"^$"`, []],
    // Another schema refuses the value. The rule may be of that schema.
    ["KEY", `${mismatch}"^other"`, []],
    ["OUTSIDE", `${mismatch}"^other"`, ["refused OUTSIDE"]],
  ])("about %s: %.60s", (name, summary, violations) => {
    expect(violationsFrom(document, aboutValue(name, summary), UNMET)).toEqual(violations);
  });

  test("is about the format if any of the messages is", () => {
    const ofRule = aboutValue("PORT", `${mismatch}"^$"`);
    const ofType = aboutValue("PORT", "expected a multiple of 1");
    expect(violationsFrom(document, ofRule, ofType, UNMET)).toEqual(["malformed PORT"]);
    const ofPrefix = aboutValue("KEY", `${mismatch}"^(?:sk-)"`);
    const ofOtherSchema = aboutValue("KEY", `${mismatch}"^other"`);
    expect(violationsFrom(document, ofOtherSchema, ofPrefix, UNMET)).toEqual(["malformed KEY"]);
  });
});

test.each([
  ["url", { kind: "not-url", schemes: [] }],
  ["integer", { kind: "not-integer" }],
  ["number", { kind: "not-number" }],
  ["boolean", { kind: "not-boolean" }],
  ["json", { kind: "not-json" }],
  ["base64", { kind: "not-base64" }],
  [
    { type: "integer", maximum: 9 },
    { kind: "out-of-range", maximum: 9 },
  ],
  [
    { type: "number", minimum: 2, maximum: 9 },
    { kind: "out-of-range", minimum: 2, maximum: 9 },
  ],
  [
    { type: "enum", values: ["a", "b"] },
    { kind: "not-in-enum", values: ["a", "b"] },
  ],
])("a refused value of the format %j has the fault %j", (format, fault) => {
  const findings = sortFindings([aboutValue("VALUE", "expected number, got string")]);
  const contract = contractOf({ variables: { VALUE: { format, secret: false } } });
  expect(deriveViolations(contract, findings)).toEqual([{ kind: "malformed", name: "VALUE", fault }]);
});

describe("a message about a long pattern, which ESC has cut,", () => {
  const pattern = `[a-z]{3}${"x".repeat(300)}`;
  const document = { variables: { KEY: { format: { type: "text", prefix: "k", pattern } } } };
  const message = `string must match the pattern "^(?:${pattern})$"`;
  test.each([
    [message, ["pattern"]],
    [`${message.slice(0, 300)}…`, ["pattern"]],
    [message.slice(0, 250), ["pattern"]],
    [message.slice(0, 249), []],
    [`Note: ${message}`, ["prefix"]],
  ])("names the pattern if its first 250 characters are there: %.20s", (summary, kinds) => {
    const violations = deriveViolations(contractOf(document), sortFindings([aboutValue("KEY", summary)]));
    expect(violations.flatMap((violation) => (violation.kind === "malformed" ? violation.fault.kind : []))).toEqual(
      kinds,
    );
  });
});
