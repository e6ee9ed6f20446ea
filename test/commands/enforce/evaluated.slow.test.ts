/**
 * The evaluator that Pulumi publishes accepts every environment whose values meet the contract, and refuses all others but for
 * what `enforce` prints as checked at a start only.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createContractSchema, type ContractSchema } from "../../../src/contract/esc-schema/contract-schema.ts";
import { formatValidation } from "../../../src/commands/parts/enforcement/schema-text.ts";
import { areNamesDeclared, sortFindings, deriveViolations } from "../../../src/contract/esc-schema/schema-findings.ts";
import { namesOfViolation } from "../../../src/contract/check-contract.ts";
import { isSchemaFinding } from "../../../src/esc/faults/schema-refusal.ts";
import { applyContract } from "../../../src/contract/apply.ts";
import { createDummyLayer } from "../../../src/contract/fake.ts";
import { BUILT_IN } from "../../../src/contract/generated/built-in.ts";
import type { Contract, Violation } from "../../../src/contract/contract-model.ts";
import { SophiaError } from "../../../src/core/error.ts";
import type { Diagnostic, Variable } from "../../../src/core/model.ts";
import { resolveLayers } from "../../../src/resolve/precedence.ts";
import { contractDocuments } from "../../contract/arbitrary-contracts.ts";
import { findViolations, contractOf } from "../../contract/contracts.ts";
import { patterns, patternValues } from "../../contract/pattern/arbitrary.ts";
import { isNightly } from "../../helpers/seed.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";

/** A value as a definition has it. */
type Given = string | number | boolean | null | readonly [];
type Values = Readonly<Record<string, Given>>;

const MODULE = join(import.meta.dirname, "../../esc-server/evaluator");
const folder = mkdtempSync(join(tmpdir(), "enforce-evaluator-"));

const noGo = notInstalled("go", "version");
skipBecause(noGo);

beforeAll(() => {
  if (noGo !== undefined) return;
  for (const name of ["main.go", "go.mod", "go.sum"]) cpSync(join(MODULE, name), join(folder, name));
  const build = spawnSync("go", ["build", "-mod=mod", "-o", "evaluator", "."], { cwd: folder, encoding: "utf8" });
  if (build.status !== 0) throw new Error(build.stderr);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly contract: Contract;
  readonly values: Values;
}

interface Comparison extends Case {
  readonly translated: ContractSchema;
  readonly definition: string;
  readonly violations: readonly Violation[];
  readonly findings: readonly Diagnostic[];
}

function definitionOf({ schema }: ContractSchema, values: Values): string {
  const lines = Object.entries(values).map(([name, value]) => {
    const isText = typeof value === "string";
    // As `enforce` meets them: most values are secrets.
    return isText && value !== ""
      ? `    ${name}: {"fn::secret": ${JSON.stringify(value)}}`
      : `    ${name}: ${JSON.stringify(value)}`;
  });
  const variables = lines.length === 0 ? ["  environmentVariables: {}"] : ["  environmentVariables:", ...lines];
  return ["values:", ...variables, "  contract:", ...formatValidation(schema, 4), ""].join("\n");
}

function violationsOf({ contract, values }: Case): readonly Violation[] {
  const variables = Object.entries(values).map(([name, value]): Variable => ({
    name,
    // Programs get neither null nor lists.
    value: typeof value === "object" ? "" : String(value),
    secret: true,
    origin: { source: "esc", environment: "acme/sophia/dev" },
    delivery: "value",
  }));
  const { layers } = applyContract(contract, [{ source: "esc", variables }]);
  const isDeclared = (name: string): boolean => contract.variables.has(name) || contract.aliases.has(name);
  return findViolations(contract, resolveLayers(layers, isDeclared));
}

/** Evaluates all cases in one process of the evaluator. */
function compare(cases: readonly Case[]): readonly Comparison[] {
  const prepared = cases.map((each) => {
    const translated = createContractSchema(each.contract, {
      isEnforced: () => true,
      variablesFromFiles: new Set(),
      title: "sophia.contract.json",
      description: "",
    });
    return { ...each, translated, definition: definitionOf(translated, each.values), violations: violationsOf(each) };
  });
  const jobs = prepared.map(({ definition }) => ({ name: "sophia/dev", definition }));
  const { stdout, stderr, status } = spawnSync(join(folder, "evaluator"), {
    input: JSON.stringify(jobs),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  expect([status, stderr]).toEqual([0, ""]);
  const answers: readonly { readonly diagnostics: readonly Pick<Diagnostic, "summary" | "path">[] }[] =
    JSON.parse(stdout);
  return prepared.map((each, index) => ({
    ...each,
    findings: (answers[index]?.diagnostics ?? []).map(({ summary, path = "" }) => ({
      severity: "error",
      summary: summary.length > 300 ? `${summary.slice(0, 300)}…` : summary,
      path,
    })),
  }));
}

/** Returns true if what was printed explains that ESC accepts a value with these violations. */
function areExplained({ translated: { gaps }, violations }: Comparison): boolean {
  return violations.every((violation) => {
    const printed = Array.from(gaps.values()).flat();
    return "name" in violation ? printed.includes(violation.name) : false;
  });
}

/** What ESC finds, which a start words although no value is known, is about variables that do violate the contract. */
function expectFindingWordings({ contract, findings, violations, values, definition }: Comparison): void {
  const sortedFindings = sortFindings(findings);
  const worded = deriveViolations(contract, sortedFindings);
  const names = new Set(violations.flatMap(namesOfViolation));
  const isRight =
    findings.every(isSchemaFinding) &&
    areNamesDeclared(contract, sortedFindings) &&
    (worded.length > 0 || sortedFindings.isRuleUnmet) &&
    worded.every((one) => one.kind !== "refused" && namesOfViolation(one).every((name) => names.has(name)));
  if (!isRight) expect.fail(JSON.stringify({ worded, values, violations, findings, definition }, undefined, 1));
}

function expectSameVerdicts(cases: readonly Case[]): { readonly accepted: number; readonly refused: number } {
  const compared = compare(cases);
  for (const each of compared) {
    const { violations, findings, definition, values } = each;
    const isMet = violations.length === 0;
    const isAccepted = findings.length === 0;
    if (!isAccepted) expectFindingWordings(each);
    if (isMet === isAccepted || (isAccepted && areExplained(each))) continue;
    expect.fail(JSON.stringify({ values, violations, findings, definition }, undefined, 1));
  }
  const accepted = compared.filter(({ findings }) => findings.length === 0).length;
  return { accepted, refused: compared.length - accepted };
}

const VALUES = fc.oneof(
  fc.constantFrom<Given>(
    "",
    " ",
    "\u200B",
    "x",
    "on",
    "off",
    "fake-c",
    "true",
    "FALSE",
    "yes",
    "1",
    "0",
    "-7",
    "+7",
    "007",
    "12",
    "0.1",
    "1e3",
    "sk-" + "a".repeat(40),
    "sk-short",
    "ghp_é",
    "abc-1234",
    "abc-12",
    "pul-" + "a1".repeat(20),
    "a".repeat(100),
    "https://host",
    "http://h:99999",
    "postgresql://u:p@h/d",
    "HTTP://H/ x",
    "://x",
    "mongodb://a:1,b:2/x",
    "{}",
    "[1, 2]",
    "{",
    "null",
    '"x"',
    "YQ==",
    "YWI=",
    "YWJj",
    "YW\nJj",
    "YQ=",
    "a_-9",
    "a@b",
    "a.b@c-d.e",
    "a@-b",
    "65535",
    "65536",
    "00080",
    "000080",
    "${x}",
    "$$",
    "a\nb",
  ),
  fc.constantFrom<Given>(0, 1, 8080, 65_536, -7, 0.1, 3, 9, true, false, null, []),
  fc.string({ unit: fc.constantFrom("a", "1", "-", ".", "é", " ", "=", "/", "$", "{"), maxLength: 6 }),
);

/** Changes of values that meet the contract: of a few names, to any value or to none. */
const changesOf = (names: readonly string[]): fc.Arbitrary<readonly (readonly [string, Given | undefined])[]> =>
  fc.array(fc.tuple(fc.constantFrom(...names), fc.option(VALUES, { nil: undefined })), { maxLength: 3 });

function valuesOf(contract: Contract, changes: readonly (readonly [string, Given | undefined])[]): Values {
  const dummyValues = createDummyLayer(contract, new Map()).variables.map(({ name, value }) => [name, value] as const);
  const entries = new Map<string, Given | undefined>([...dummyValues, ...changes]);
  return Object.fromEntries(
    Array.from(entries).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const FORMATS = [
  { type: "text", pattern: String.raw`[^\s@]+@\S*|\d{2}` },
  { type: "text", pattern: String.raw`(?:a|[\w.-]){1,3}` },
  { type: "integer", minimum: -7, maximum: 12 },
  { type: "integer", minimum: 8 },
  { type: "number", minimum: 0 },
  { type: "enum", values: ["1", "on", "true"] },
  { type: "url" },
  "boolean",
  "port",
  "json",
  "base64",
  "email",
] as const;

/** Contracts of what others do not have: aliases, defaults, several groups, `exactly-one`. */
const further = fc
  .record({
    a: fc.constantFrom(...FORMATS),
    b: fc.constantFrom(...FORMATS),
    aRequired: fc.boolean(),
    bRequired: fc.constantFrom<unknown>(true, false, { when: "MODE", equals: "on" }, { when: "MODE" }),
    default: fc.option(fc.constantFrom("on", "off"), { nil: undefined }),
    rule: fc.constantFrom("exactly-one", "all-or-none", "at-least-one", "one-of"),
    other: fc.constantFrom("exactly-one", "all-or-none", "at-least-one", "one-of"),
  })
  .map((parts) => ({
    variables: {
      A: { format: parts.a, required: parts.aRequired, secret: false },
      B: { format: parts.b, required: parts.bRequired, aliases: ["B_OLD", "B2"], secret: false },
      MODE: {
        format: { type: "enum", values: ["on", "off"] },
        aliases: ["MODE_OLD"],
        ...(parts.default === undefined ? {} : { default: parts.default }),
      },
      X: { secret: true },
      Y: { aliases: ["Y_OLD"] },
      Z: { default: "z" },
    },
    groups: {
      first: { rule: parts.rule, variables: ["X", "Y", "Z"] },
      second: { rule: parts.other, variables: ["Y", "X"] },
    },
  }));
const FURTHER_NAMES = ["A", "B", "B_OLD", "B2", "MODE", "MODE_OLD", "X", "Y", "Y_OLD", "Z"];

const RUNS = isNightly ? 20_000 : 300;

/** Draws cases by the seed of the run. */
function drawCases(documents: fc.Arbitrary<unknown>, names: readonly string[]): readonly Case[] {
  const cases: Case[] = [];
  fc.assert(
    fc.property(documents, fc.array(changesOf(names), { minLength: 5, maxLength: 5 }), (document, all) => {
      let contract: Contract;
      try {
        contract = contractOf(document);
        cases.push(...all.map((changes) => ({ contract, values: valuesOf(contract, changes) })));
      } catch (error) {
        // A contract that contradicts itself, or that no made-up value meets.
        if (!(error instanceof SophiaError)) throw error;
      }
    }),
    { numRuns: RUNS / 5 },
  );
  return cases;
}

describe("ESC's verdict equals the verdict of check", () => {
  test("for contracts with every format, conditions and groups", () => {
    const { accepted, refused } = expectSameVerdicts(
      drawCases(contractDocuments, ["A_URL", "B_KEY", "C", "D_TOKEN", "E", "F_PORT", "G"]),
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(RUNS / 50);
  });

  test("for contracts with aliases, defaults and groups over the same variables", () => {
    const { accepted, refused } = expectSameVerdicts(drawCases(further, FURTHER_NAMES));
    expect(Math.min(accepted, refused)).toBeGreaterThan(RUNS / 50);
  });

  test("for each format alone, and each value", () => {
    const values = fc.sample(VALUES, { numRuns: 100, seed: 1 });
    const cases = FORMATS.flatMap((format) => {
      const contract = contractOf({ variables: { V: { format, required: true, secret: false } } });
      return values.map((value) => ({ contract, values: { V: value } }));
    });
    const { accepted, refused } = expectSameVerdicts(cases);
    expect(Math.min(accepted, refused)).toBeGreaterThan(100);
  });

  test("for patterns of any form", () => {
    const cases: Case[] = [];
    const lists = fc.array(patternValues, { minLength: 5, maxLength: 5 });
    const collect = fc.property(patterns, lists, (pattern, texts) => {
      if (pattern === "") return;
      const contract = contractOf({ variables: { V: { format: { type: "text", pattern }, secret: false } } });
      cases.push(...texts.map((text) => ({ contract, values: { V: text } })));
    });
    fc.assert(collect, { numRuns: RUNS / 5 });
    const { accepted, refused } = expectSameVerdicts(cases);
    expect(Math.min(accepted, refused)).toBeGreaterThan(RUNS / 10);
  });

  test("for the built-in contract", () => {
    const all = {
      QDRANT_URL: "https://q",
      QDRANT_API_KEY: "k",
      PULUMI_ACCESS_TOKEN: "pul-x",
      GH_FINE_GRAINED_TOKEN: "t",
      OPENROUTER_API_KEY: "o",
    };
    const without = Object.keys(all).map((name) => ({ ...all, [name]: "" }));
    expect(expectSameVerdicts([all, ...without, {}].map((values) => ({ contract: BUILT_IN, values })))).toEqual({
      accepted: 1,
      refused: 6,
    });
  });
});
