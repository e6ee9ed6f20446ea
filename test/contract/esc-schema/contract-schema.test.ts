/** Each rule of a contract becomes a schema of ESC. evaluated.slow.test.ts checks the meaning of such schemas with ESC's evaluator. */
import { expect, test } from "vitest";
import { createContractSchema } from "../../../src/contract/esc-schema/contract-schema.ts";
import type { EscSchema } from "../../../src/contract/esc-schema/esc-schema.ts";
import {
  BLANK_VALUES,
  EMPTY_VALUES,
  INVISIBLE_TEXT,
  SET_VALUES,
} from "../../../src/contract/esc-schema/value-schema.ts";
import { contractOf } from "../contracts.ts";

/** The facts about an environment in which a contract is enforced. */
interface Enforcement {
  readonly fromFiles?: readonly string[];
  readonly notEnforced?: readonly string[];
}

/** Returns the schema of a contract without its title, description and type, and the gaps without those of all texts. */
function translate(document: unknown, { fromFiles = [], notEnforced = [] }: Enforcement = {}) {
  const { schema, gaps } = createContractSchema(contractOf(document), {
    isEnforced: (name) => !notEnforced.includes(name),
    variablesFromFiles: new Set(fromFiles),
    title: "sophia.contract.json",
    description: "Written by a test",
  });
  const { title, description, type, ...members } = schema;
  expect([title, description, type]).toEqual(["sophia.contract.json", "Written by a test", "object"]);
  const { "placeholders such as <value>, and references to other stores": _ofTexts, ...otherGaps } =
    Object.fromEntries(gaps);
  return { ...members, gaps: otherGaps };
}

const SET: EscSchema = { $ref: "#/$defs/set" };
const EMPTY: EscSchema = { $ref: "#/$defs/empty" };
const BLANK: EscSchema = { $ref: "#/$defs/blank" };
const DEFINITIONS = { set: { anyOf: SET_VALUES }, empty: { anyOf: EMPTY_VALUES }, blank: { anyOf: BLANK_VALUES } };
const { set, empty } = DEFINITIONS;

const LEVEL_FORMAT = { type: "enum", values: ["low", "high"] };
const LEVEL: EscSchema = { type: "string", enum: ["low", "high"] };

test("a variable becomes a property if it is required or has a format, and only a required one is in `required`", () => {
  const variables = {
    ANY: {},
    NEEDED: { required: true },
    LEVEL: { format: LEVEL_FORMAT },
    NEEDED_LEVEL: { required: true, format: LEVEL_FORMAT },
    DEFAULT: { required: true, default: "x" },
    DEFAULT_LEVEL: { required: true, format: LEVEL_FORMAT, default: "low" },
  };
  expect(translate({ variables })).toEqual({
    properties: {
      NEEDED: { anyOf: SET_VALUES },
      LEVEL: { anyOf: [LEVEL, EMPTY] },
      NEEDED_LEVEL: LEVEL,
      DEFAULT_LEVEL: { anyOf: [LEVEL, EMPTY] },
    },
    required: ["NEEDED", "NEEDED_LEVEL"],
    $defs: { empty },
    gaps: {},
  });
});

test("a contract without rules becomes a schema without members that are empty", () => {
  expect(translate({ variables: { ANY: {} } })).toEqual({ properties: {}, gaps: {} });
});

test("a variable that is not enforced, or comes from a file, has no property, and the gaps name the latter", () => {
  const variables = {
    NEEDED: { required: true },
    OUTSIDE: { required: true },
    CERTIFICATE: { required: true, aliases: ["OLD_CERTIFICATE", "OLDEST_CERTIFICATE"] },
  };
  expect(translate({ variables }, { notEnforced: ["OUTSIDE"], fromFiles: ["OLD_CERTIFICATE"] })).toEqual({
    properties: { NEEDED: { anyOf: SET_VALUES } },
    required: ["NEEDED"],
    gaps: { "variables of values.files": ["CERTIFICATE"] },
  });
});

test("the gaps name each enforced text, since a schema knows neither placeholders nor references", () => {
  const variables = { TEXT: {}, PORT: { format: "port" }, SITE: { format: "url" }, OUTSIDE: {} };
  const { gaps } = createContractSchema(contractOf({ variables }), {
    isEnforced: (name) => name !== "OUTSIDE",
    variablesFromFiles: new Set(),
    title: "",
    description: "",
  });
  expect(Array.from(gaps)).toEqual([
    ["syntax of a URL", ["SITE"]],
    ["placeholders such as <value>, and references to other stores", ["TEXT", "SITE"]],
  ]);
});

test("a contract whose formats a schema expresses completely has no gaps", () => {
  const enforcement = { isEnforced: () => true, variablesFromFiles: new Set<string>(), title: "", description: "" };
  const { gaps } = createContractSchema(contractOf({ variables: { PORT: { format: "port" } } }), enforcement);
  expect(Array.from(gaps)).toEqual([]);
});

test("a gap names all variables that it concerns, each once", () => {
  const aliases = (name: string) => [`${name}_1`, `${name}_2`];
  const variables = { X: { aliases: aliases("X") }, Y: { aliases: aliases("Y") } };
  const groups = {
    first: { rule: "exactly-one", variables: ["X", "Y"] },
    second: { rule: "all-or-none", variables: ["X", "Y"] },
  };
  expect(translate({ variables, groups }).gaps).toEqual({ "which of several aliases counts": ["X", "Y"] });
});

test("a variable with aliases has its value under one of its names, and then under none with precedence", () => {
  const variables = {
    NEEDED: { required: true, format: LEVEL_FORMAT, aliases: ["OLD"] },
    LEVEL: { format: LEVEL_FORMAT, aliases: ["LEVEL_1", "LEVEL_2"] },
  };
  expect(translate({ variables })).toEqual({
    properties: {},
    anyOf: [
      {
        description: "NEEDED or OLD: the one that gives the value is valid",
        anyOf: [
          { required: ["NEEDED"], properties: { NEEDED: LEVEL } },
          { required: ["OLD"], properties: { NEEDED: EMPTY, OLD: LEVEL } },
        ],
      },
    ],
    $ref: "#/$defs/rule-2",
    $defs: {
      "rule-2": {
        description: "LEVEL or LEVEL_1 or LEVEL_2: the one that gives the value is valid",
        anyOf: [
          { required: ["LEVEL"], properties: { LEVEL } },
          { required: ["LEVEL_1"], properties: { LEVEL: EMPTY, LEVEL_1: LEVEL } },
          { required: ["LEVEL_2"], properties: { LEVEL: EMPTY, LEVEL_2: LEVEL } },
          { properties: { LEVEL: EMPTY, LEVEL_1: EMPTY, LEVEL_2: EMPTY } },
        ],
      },
      empty,
    },
    gaps: { "which of several aliases counts": ["LEVEL"] },
  });
});

test("three rules are a chain of schemas that refer to each other", () => {
  const variables = { X: {}, Y: {}, Z: {} };
  const groups = {
    first: { rule: "at-least-one", variables: ["X", "Y"] },
    second: { rule: "at-least-one", variables: ["X", "Z"] },
    third: { rule: "one-of", variables: ["Y", "Z"] },
  };
  const has = (name: string): EscSchema => ({ required: [name], properties: { [name]: SET } });
  expect(translate({ variables, groups })).toEqual({
    properties: {},
    anyOf: [{ description: "first", anyOf: [has("X"), has("Y")] }],
    $ref: "#/$defs/rule-2",
    $defs: {
      "rule-2": { description: "second", anyOf: [has("X"), has("Z")], $ref: "#/$defs/rule-3" },
      "rule-3": { description: "third", anyOf: [has("Y"), has("Z")] },
      set,
    },
    gaps: {},
  });
});

const ONLY_X: EscSchema = { required: ["X"], properties: { X: SET, Y: BLANK } };
const ONLY_Y: EscSchema = { required: ["Y"], properties: { X: BLANK, Y: SET } };
const BOTH: EscSchema = { required: ["X", "Y"], properties: { X: SET, Y: SET } };
const NEITHER: EscSchema = { properties: { X: BLANK, Y: BLANK } };
const HAS_X: EscSchema = { required: ["X"], properties: { X: SET } };
const HAS_Y: EscSchema = { required: ["Y"], properties: { Y: SET } };
const LACKS_X: EscSchema = { properties: { X: BLANK } };

test.each<[string, Enforcement, string | undefined, readonly EscSchema[] | undefined]>([
  ["one-of", {}, undefined, [HAS_X, HAS_Y]],
  ["one-of", {}, "a default", undefined],
  ["one-of", { fromFiles: ["Y"] }, undefined, undefined],
  ["at-least-one", {}, undefined, [HAS_X, HAS_Y]],
  ["at-least-one", {}, "a default", undefined],
  ["exactly-one", {}, undefined, [ONLY_X, ONLY_Y]],
  ["exactly-one", {}, "a default", [ONLY_X, ONLY_Y, NEITHER]],
  ["exactly-one", { fromFiles: ["Y"] }, undefined, [LACKS_X, LACKS_X]],
  ["all-or-none", {}, undefined, [BOTH, NEITHER]],
  ["all-or-none", {}, "a default", [HAS_X, NEITHER]],
  ["all-or-none", { fromFiles: ["X"] }, undefined, [HAS_Y]],
  ["all-or-none", { notEnforced: ["X", "Y"] }, undefined, undefined],
])("the group %s with %j, whose second variable has %s, can be met in each of its ways", (rule, facts, value, ways) => {
  const variables = { X: {}, Y: value === undefined ? {} : { default: value } };
  const { anyOf } = translate({ variables, groups: { pair: { rule, variables: ["X", "Y"] } } }, facts);
  expect(anyOf).toEqual(ways === undefined ? undefined : [{ description: "pair", anyOf: ways }]);
});

test("a group of which no variable is enforced is no gap", () => {
  const groups = { pair: { rule: "all-or-none", variables: ["X", "Y"] } };
  expect(translate({ variables: { X: {}, Y: {} }, groups }, { notEnforced: ["X", "Y"] }).gaps).toEqual({});
});

test("a group of which only a part is enforced has no schema, and the gaps name it", () => {
  const groups = { pair: { rule: "all-or-none", variables: ["X", "Y"] } };
  expect(translate({ variables: { X: {}, Y: {} }, groups }, { notEnforced: ["X"] })).toEqual({
    properties: {},
    gaps: { "groups of which only a part is enforced": ["pair"] },
  });
});

test("the ways in which variables with aliases are set, or are not, become definitions", () => {
  const variables = { X: { aliases: ["OLD_X"] }, Y: { aliases: ["OLD_Y"] }, Z: {} };
  const groups = { all: { rule: "all-or-none", variables: ["X", "Y", "Z"] } };
  const isSet = (name: string): EscSchema => ({
    anyOf: [
      { required: [name], properties: { [name]: SET } },
      { required: [`OLD_${name}`], properties: { [name]: EMPTY, [`OLD_${name}`]: SET } },
    ],
  });
  const isUnset = (name: string): EscSchema => ({
    anyOf: [
      { properties: { [name]: BLANK, [`OLD_${name}`]: BLANK } },
      { required: [name], properties: { [name]: INVISIBLE_TEXT } },
      { required: [`OLD_${name}`], properties: { [name]: EMPTY, [`OLD_${name}`]: INVISIBLE_TEXT } },
    ],
  });
  const allAreSet = {
    $ref: "#/$defs/X-is-set",
    anyOf: [{ $ref: "#/$defs/Y-is-set", anyOf: [{ required: ["Z"], properties: { Z: SET } }] }],
  };
  const noneIsSet = {
    $ref: "#/$defs/X-is-unset",
    anyOf: [{ $ref: "#/$defs/Y-is-unset", anyOf: [{ properties: { Z: BLANK } }] }],
  };
  expect(translate({ variables, groups })).toEqual({
    properties: {},
    anyOf: [{ description: "all", anyOf: [allAreSet, noneIsSet] }],
    $defs: {
      "X-is-set": isSet("X"),
      "Y-is-set": isSet("Y"),
      "X-is-unset": isUnset("X"),
      "Y-is-unset": isUnset("Y"),
      ...DEFINITIONS,
    },
    gaps: {},
  });
});

test("a way that only definitions describe has no further schema", () => {
  const variables = { X: { aliases: ["OLD_X"] }, Y: { aliases: ["OLD_Y"] } };
  const groups = { pair: { rule: "exactly-one", variables: ["X", "Y"] } };
  expect(translate({ variables, groups }).anyOf).toEqual([
    {
      description: "pair",
      anyOf: [
        { $ref: "#/$defs/X-is-set", anyOf: [{ $ref: "#/$defs/Y-is-unset" }] },
        { $ref: "#/$defs/X-is-unset", anyOf: [{ $ref: "#/$defs/Y-is-set" }] },
      ],
    },
  ]);
});

/** The ways in which the variable MODE has no value, or another one than `on`. */
const WITHOUT_MODE: EscSchema = { properties: { MODE: EMPTY } };
const OTHER_MODE: EscSchema = { required: ["MODE"], properties: { MODE: { type: "string", enum: ["off", "auto"] } } };
const HAS_A: EscSchema = { required: ["A"], properties: { A: SET } };

test.each<[string, unknown, string | undefined, readonly EscSchema[]]>([
  ["any value", undefined, undefined, [HAS_A, WITHOUT_MODE]],
  ["any value", undefined, "off", [HAS_A]],
  ["one value", "on", undefined, [HAS_A, WITHOUT_MODE, OTHER_MODE]],
  ["one value", "on", "off", [HAS_A, WITHOUT_MODE, OTHER_MODE]],
  ["one value", "on", "on", [HAS_A, OTHER_MODE]],
  ["all values", ["on", "off", "auto"], undefined, [HAS_A, WITHOUT_MODE]],
  ["all values", ["on", "off", "auto"], "on", [HAS_A]],
])("a condition on %s (%j), with the default %s, can be unmet in each of its ways", (_title, equals, value, ways) => {
  const MODE = { format: { type: "enum", values: ["on", "off", "auto"] }, default: value };
  const A = { required: { when: "MODE", equals } };
  expect(translate({ variables: { MODE, A } })).toMatchObject({
    anyOf: [{ description: "A is required by MODE", anyOf: ways }],
    gaps: {},
  });
});

test.each<[string, Enforcement, unknown, Readonly<Record<string, readonly string[]>>]>([
  ["whose variable is from a file", { fromFiles: ["MODE"] }, "boolean", { conditions: ["A"] }],
  ["whose variable has no list of values", {}, "boolean", { conditions: ["A"] }],
  ["whose variable is not enforced", { notEnforced: ["MODE"] }, LEVEL_FORMAT, {}],
  ["for a variable that is not enforced", { notEnforced: ["A"] }, LEVEL_FORMAT, {}],
  ["for a variable from a file", { fromFiles: ["A"] }, LEVEL_FORMAT, {}],
])("a condition %s has no schema", (_title, facts, format, expectedGaps) => {
  const equals = format === "boolean" ? "true" : "low";
  const variables = { MODE: { format }, A: { required: { when: "MODE", equals } } };
  const { anyOf, gaps } = translate({ variables }, facts);
  const { "variables of values.files": _ofFiles, ...otherGaps } = gaps;
  expect([anyOf, otherGaps]).toEqual([undefined, expectedGaps]);
});

test("a condition on a variable with aliases, for a variable with aliases, is about all of their names", () => {
  const variables = {
    MODE: { format: { type: "enum", values: ["on", "off"] }, aliases: ["OLD_MODE"] },
    A: { aliases: ["OLD_A"], required: { when: "MODE", equals: "on" } },
  };
  const off: EscSchema = { type: "string", enum: ["off"] };
  expect(translate({ variables }).$defs).toMatchObject({
    "rule-2": {
      description: "A is required by MODE",
      anyOf: [
        { $ref: "#/$defs/A-is-set" },
        { properties: { MODE: EMPTY, OLD_MODE: EMPTY } },
        { required: ["MODE"], properties: { MODE: off } },
        { required: ["OLD_MODE"], properties: { MODE: EMPTY, OLD_MODE: off } },
      ],
    },
    "A-is-set": {
      anyOf: [
        { required: ["A"], properties: { A: SET } },
        { required: ["OLD_A"], properties: { A: EMPTY, OLD_A: SET } },
      ],
    },
  });
});
