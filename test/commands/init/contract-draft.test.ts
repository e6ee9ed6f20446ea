import { describe, expect, test } from "vitest";
import { createContractText } from "../../../src/commands/init/contract-draft.ts";
import { describeLoads, findDotenvLoads } from "../../../src/commands/init/dotenv-loads.ts";
import {
  createFormatTest,
  isPublicValue,
  mergeCandidates,
  type Candidate,
} from "../../../src/commands/init/variable-candidates.ts";

const candidate = (more: Partial<Candidate> = {}): Candidate => ({ name: "A", required: false, ...more });
const withValues = (...values: readonly string[]) => ({ hasValue: true, admitsFormat: createFormatTest("A", values) });
const contractOf = (draft: Partial<Parameters<typeof createContractText>[0]>): unknown =>
  JSON.parse(createContractText({ candidates: [], groups: [], ...draft }, "./s.json"));

describe("the entry of a variable in a new contract", () => {
  test.each<readonly [given: Candidate, entry: object]>([
    [candidate(), {}],
    [candidate({ name: "PORT" }), { format: "port" }],
    [candidate({ name: "PORT", example: "8080" }), { example: "8080", format: "port" }],
    [candidate({ name: "PORT", example: "x" }), { example: "x", secret: false }],
    [candidate({ name: "PORT", ...withValues("80", "") }), { format: "port" }],
    [candidate({ name: "PORT", ...withValues("80", "x") }), {}],
    [candidate({ name: "PORT", hasValue: true }), {}],
    [candidate({ name: "PORT", default: "80" }), { default: "80" }],
    [candidate({ example: "TRUE" }), { example: "TRUE", format: "boolean" }],
    [candidate({ example: "false" }), { example: "false", format: "boolean" }],
    [candidate({ example: "untrue" }), { example: "untrue", secret: false }],
    [candidate({ example: "truely" }), { example: "truely", secret: false }],
    ...["API_URL", "URI", "x_endpoint", "ORIGIN"].map(
      (name) => [candidate({ name, example: "https://a.test" }), { example: "https://a.test", format: "url" }] as const,
    ),
    ...["CURL", "URL_X", "HOST"].map(
      (name) => [candidate({ name, example: "https://a.test" }), { example: "https://a.test" }] as const,
    ),
    [candidate({ name: "URL" }), {}],
    [candidate({ name: "URL", example: "x" }), { example: "x", secret: false }],
    [candidate({ name: "URL", ...withValues("https://a.test") }), { format: "url" }],
    [candidate({ name: "URL", ...withValues("https://a.test", "x") }), {}],
    [candidate({ secret: false }), { secret: false }],
    [candidate({ secret: true, example: "x" }), { example: "x" }],
    [candidate({ secret: false, default: "x" }), { default: "x" }],
    [candidate({ secret: false, format: "port" }), { format: "port" }],
    [candidate({ secret: false, format: "boolean" }), { format: "boolean" }],
    [
      candidate({ secret: false, format: { type: "enum", values: ["a"] } }),
      { format: { type: "enum", values: ["a"] } },
    ],
    [candidate({ secret: false, format: "url" }), { secret: false, format: "url" }],
    [
      candidate({ required: true, label: "L", description: "D", docs: "http://d", aliases: ["B"] }),
      {
        label: "L",
        description: "D",
        required: true,
        docs: "http://d",
        aliases: ["B"],
      },
    ],
  ])("of %j", (given, entry) => {
    expect(contractOf({ candidates: [given] })).toEqual({ $schema: "./s.json", variables: { [given.name]: entry } });
  });

  test("comes with the name, the extended contract and the environments", () => {
    const schema = { $schema: "./s.json" };
    expect(contractOf({ name: "shop", extendedContract: "x.json" })).toEqual({
      ...schema,
      name: "shop",
      extends: "x.json",
    });
    expect(contractOf({ environments: ["a/b"] })).toEqual({ ...schema, environment: "a/b", variables: {} });
    expect(contractOf({ environments: ["a/b", "c/d"] })).toEqual({
      ...schema,
      environment: ["a/b", "c/d"],
      variables: {},
    });
    expect(contractOf({ extendedContract: "builtin", environments: ["a/b"] })).toEqual({
      ...schema,
      extends: "builtin",
      environment: "a/b",
    });
    expect(contractOf({ extendedContract: "builtin" })).toMatchObject({ ...schema, variables: { QDRANT_URL: {} } });
    expect(contractOf({ extendedContract: "builtin" })).not.toHaveProperty("extends");
  });
});

test.each([
  ["x", true],
  [" ", false],
  ["", false],
  ["<x>", false],
  ["changeme", false],
  ["https://a.test", false],
  ["host:80", false],
])("the value %j shows that a variable is public: %s", (value, expected) => {
  expect(isPublicValue("A", value)).toBe(expected);
  expect(isPublicValue("API_KEY", value)).toBe(false);
});

describe("candidates of several sources", () => {
  const merge = (...sources: readonly (readonly [source: string, ...candidates: readonly Candidate[]])[]) =>
    mergeCandidates(sources.map(([source, ...candidates]) => ({ source, candidates })));

  test("are joined: the first detail counts, and any source may require a variable or call it a secret", () => {
    const { candidates, leftOut } = merge(
      [
        "the code (3 files)",
        candidate({ description: undefined, label: "first", readAt: { file: "a", line: 1 } }),
        candidate({ name: "PATH" }),
      ],
      [
        ".env.example, which x names",
        candidate({ required: true, description: "D", label: "second", secret: false }),
        candidate({ name: "CI" }),
      ],
      ["tools", candidate({ isOptional: true, secret: true, file: ".env.schema" }), candidate({ name: "SOPHIA_X" })],
      ["tools", candidate({ file: ".env.schema" })],
    );
    expect(candidates).toEqual([
      {
        name: "A",
        required: true,
        isOptional: true,
        hasValue: false,
        description: "D",
        label: "first",
        readAt: { file: "a", line: 1 },
        secret: true,
        file: ".env.schema",
        sources: ["code", ".env.example", ".env.schema"],
      },
    ]);
    expect(leftOut).toEqual(
      new Map([
        ["of the system, runtimes, tools or CI", ["PATH", "CI"]],
        ["of sophia-run", ["SOPHIA_X"]],
      ]),
    );
  });

  test("are public only if no source calls them secrets", () => {
    const secretOf = (...secrets: readonly (boolean | undefined)[]) =>
      merge(...secrets.map((secret) => ["x", candidate({ secret })] as const)).candidates[0]?.secret;
    expect([
      secretOf(false, undefined),
      secretOf(undefined, false),
      secretOf(false, true),
      secretOf(true, false),
      secretOf(undefined, undefined),
    ]).toEqual([false, false, true, true, undefined]);
  });

  test("have a format only if all known values have it", () => {
    const admits = (...parts: readonly Partial<Candidate>[]) =>
      merge(...parts.map((part) => ["x", candidate(part)] as const)).candidates[0]?.admitsFormat?.({ kind: "port" });
    expect(admits(withValues("80"), withValues("81"))).toBe(true);
    expect(admits(withValues("80"), withValues("x"))).toBe(false);
    expect(admits(withValues("x"), withValues("80"))).toBe(false);
    expect(admits(withValues("80"), { hasValue: true })).toBe(false);
    expect(admits(withValues("80"), {})).toBe(true);
    expect(admits({}, withValues("80"))).toBe(true);
    expect(admits({}, {})).toBeUndefined();
  });

  test("keep only aliases that are no name and no alias of another variable", () => {
    const { candidates } = merge([
      "x",
      candidate({ aliases: ["B", "C", "PATH", "C2"] }),
      candidate({ name: "B", aliases: ["C", "D"] }),
      candidate({ name: "E", aliases: ["A"] }),
      candidate({ name: "F" }),
    ]);
    expect(candidates.map(({ aliases }) => aliases)).toEqual([["C", "C2"], ["D"], undefined, undefined]);
  });
});

describe("calls that load .env files", () => {
  const load = (call: "dotenv" | "load_dotenv", line: number, overrides = false) => [
    { file: call === "dotenv" ? "a.js" : "a.py", line, call, overrides },
  ];

  test.each([
    ["import 'dotenv/config'", load("dotenv", 1)],
    ['\nimport "@dotenvx/dotenvx/config";', load("dotenv", 2)],
    ["require( 'dotenv' ).config()", load("dotenv", 1)],
    ["import dotenv from 'dotenv';\ndotenv.config({ override: true })", load("dotenv", 2, true)],
    ["import { config } from 'dotenv-flow'\nconfig({ path: f(1), override:  true })", load("dotenv", 2, true)],
    ["require('dotenv').config({ override: false })", load("dotenv", 1)],
    ["require('dotenv').config({ nooverride: true })", load("dotenv", 1)],
    ["require('dotenv').config({ override: trueish })", load("dotenv", 1)],
    ["require('dotenv').config();\nrequire('dotenv').config({ override: true })", load("dotenv", 2, true)],
    ["require('dotenv').config(); f({ override: true })", load("dotenv", 1)],
    ["// require('dotenv').config()", []],
    ["  /* require('dotenv').config()", []],
    ["\t* require('dotenv').config()", []],
    ["x // y\nrequire('dotenv').config()", load("dotenv", 2)],
    ["const x = 1; /* y */ require('dotenv').config()", load("dotenv", 1)],
    ["config()", []],
    ["import x from 'other'\nx.config()", []],
    ["import x from 'dotenv'\nx.config()", []],
    ["import x from 'dotenv'\nmyconfig()", []],
  ])("are found in JavaScript: %j", (text, loads) => {
    expect(findDotenvLoads("a.js", text)).toEqual(loads);
  });

  test.each([
    ["from dotenv import load_dotenv\nload_dotenv()", load("load_dotenv", 2)],
    ["import dotenv\ndotenv.load_dotenv(override = True)", load("load_dotenv", 2, true)],
    ["import dotenv\nload_dotenv(override=False)", load("load_dotenv", 2)],
    ["import dotenv\nload_dotenv()\nf(override=True)", load("load_dotenv", 2)],
    ["import dotenv\n# load_dotenv()", []],
    ["import dotenv\ndef  load_dotenv(): pass", []],
    ["import dotenv\ndef f(): load_dotenv()", load("load_dotenv", 2)],
    ["import dotenv\nmy_load_dotenv()", []],
    ["load_dotenv()", []],
    ["import dotenvs\nload_dotenv()", []],
  ])("are found in Python: %j", (text, loads) => {
    expect(findDotenvLoads("a.py", text)).toEqual(loads);
  });

  test("are reported in one line if they may stay, and in another if they must change", () => {
    const place = { file: "a.js", line: 3, call: "dotenv", overrides: false } as const;
    const text = (...loads: Parameters<typeof describeLoads>[0]) =>
      describeLoads(loads).map((line) => (typeof line === "string" ? line : line.text));
    expect(text()).toEqual([]);
    expect(text(place)).toEqual(["  a.js:3: dotenv may stay: it does not replace what sophia-run has set"]);
    expect(text({ ...place, overrides: true }, place, { ...place, line: 4 }, { ...place, line: 5 })).toEqual([
      "  a.js:3 and 2 more: dotenv may stay: it does not replace what sophia-run has set",
      "  a.js:3: remove override: true of dotenv: it replaces what sophia-run has checked",
    ]);
    expect(text({ ...place, call: "load_dotenv", overrides: true })).toEqual([
      "  a.js:3: remove override=True of load_dotenv: it replaces what sophia-run has checked",
    ]);
  });
});
