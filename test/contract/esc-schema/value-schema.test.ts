import { describe, expect, test } from "vitest";
import { VISIBLE } from "../../../src/contract/check-contract.ts";
import type { EscSchema } from "../../../src/contract/esc-schema/esc-schema.ts";
import { writeRe2Set } from "../../../src/contract/esc-schema/re2-pattern.ts";
import {
  BLANK_VALUES,
  EMPTY_VALUES,
  INVISIBLE_TEXT,
  createValueSchema,
  type ValueSchema,
} from "../../../src/contract/esc-schema/value-schema.ts";
import { findFormatFault } from "../../../src/contract/format.ts";
import { contractOf } from "../contracts.ts";

/** Returns the schemas of a variable with this entry in the contract. */
function translate(entry: Readonly<Record<string, unknown>>, mustBeSet = false): ValueSchema {
  const { variables } = contractOf({ variables: { VALUE: { secret: false, ...entry } } });
  return createValueSchema(variables.get("VALUE") ?? {}, mustBeSet);
}

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

const NUMBER: EscSchema = { type: "number" };
const BOOLEAN: EscSchema = { type: "boolean" };
const HAS_VISIBLE = { pattern: writeRe2Set(VISIBLE.source) };
const numberFrom = (minimum: number, maximum: number): EscSchema => ({ type: "number", minimum, maximum });
const text = (pattern: string): EscSchema => ({ type: "string", pattern });
const NO_SPACES = `${writeRe2Set(String.raw`\S`)}+`;
const DECIMAL = String.raw`^(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)$`;
const PORT =
  "^(?:0{0,4}[1-9]|0{0,3}[1-9][0-9]|0{0,2}[1-9][0-9]{2}|0?[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
const OF_NUMBERS = "pattern or length of a number without quotes";
const OF_RANGE = "range of a number in quotes";

test.each<[unknown, readonly EscSchema[], ValueSchema["gaps"]]>([
  [{ type: "text" }, [{ type: "string" }, NUMBER, BOOLEAN], [OF_NUMBERS]],
  [{ type: "text", minLength: 1 }, [{ type: "string" }, NUMBER, BOOLEAN], [OF_NUMBERS]],
  [{ type: "text", minLength: 2 }, [text("(?s)^.{2}"), NUMBER, BOOLEAN], [OF_NUMBERS]],
  [{ type: "text", minLength: 5 }, [text("(?s)^.{5}"), NUMBER, { type: "boolean", enum: [false] }], [OF_NUMBERS]],
  [{ type: "text", minLength: 1000 }, [text("(?s)^.{1000}"), NUMBER], [OF_NUMBERS]],
  [{ type: "text", minLength: 1001 }, [{ type: "string" }, NUMBER], ["length", OF_NUMBERS]],
  [{ type: "text", pattern: "(?:a{500}){3}" }, [{ type: "string" }], ["pattern"]],
  [{ type: "text", prefix: "a", pattern: "(?:a{500}){3}" }, [text("^(?:a)")], ["pattern"]],
  [{ type: "text", prefix: ["sk-", "a.b"] }, [text(String.raw`^(?:sk-|a\.b)`)], []],
  [{ type: "text", prefix: ["sk-", "-1.5E+"] }, [text(String.raw`^(?:sk-|-1\.5E\+)`), NUMBER], [OF_NUMBERS]],
  [
    { type: "text", prefix: "a", pattern: "a[0-9]+", minLength: 3 },
    [{ ...text("^(?:a)"), anyOf: [{ pattern: "^(?:a[0-9]+)$", anyOf: [{ pattern: "(?s)^.{3}" }] }] }],
    [],
  ],
  ["url", [text(`^(?:[A-Za-z][A-Za-z0-9+.-]*://${NO_SPACES})$`)], ["syntax of a URL"]],
  [
    { type: "url", schemes: ["postgresql", "git+ssh"] },
    [text(String.raw`^(?:(?i:postgresql|git\+ssh)://` + `${NO_SPACES})$`)],
    ["syntax of a URL"],
  ],
  ["integer", [text("^(?:[+-]?[0-9]+)$"), { type: "number", multipleOf: 1 }], []],
  [
    { type: "integer", minimum: 5 },
    [text(String.raw`^(?:\+?0*(?:[5-9]|[1-9][0-9]{1,}))$`), { type: "number", multipleOf: 1, minimum: 5 }],
    [],
  ],
  [
    { type: "integer", maximum: 0 },
    [text(String.raw`^(?:-0*(?:[1-9]|[1-9][0-9]{1,})|\+?0*(?:0)|-0+)$`), { type: "number", multipleOf: 1, maximum: 0 }],
    [],
  ],
  ["port", [text(PORT), { type: "number", multipleOf: 1, minimum: 1, maximum: 65_535 }], []],
  ["number", [text(DECIMAL), NUMBER], []],
  [{ type: "number", minimum: 0.5 }, [text(DECIMAL), { type: "number", minimum: 0.5 }], [OF_RANGE]],
  [{ type: "number", maximum: 2 }, [text(DECIMAL), { type: "number", maximum: 2 }], [OF_RANGE]],
  ["boolean", [text("^(?:(?i:true|false|yes|no|on|off|1|0))$"), numberFrom(0, 0), numberFrom(1, 1), BOOLEAN], []],
  [
    { type: "enum", values: ["on", "8", "-1.5", "1e999", "v8", "+8", "true"] },
    [
      { type: "string", enum: ["on", "8", "-1.5", "1e999", "v8", "+8", "true"] },
      numberFrom(8, 8),
      numberFrom(-1.5, -1.5),
      { type: "boolean", enum: [true] },
    ],
    [],
  ],
  [{ type: "enum", values: ["a", "b"] }, [{ type: "string", enum: ["a", "b"] }], []],
  ["json", [text(String.raw`^[\t\n\r ]*["\[{0-9tfn-]`), NUMBER, BOOLEAN], ["syntax of JSON"]],
])("the format %j allows the values of these schemas", (format, alternatives, gaps) => {
  expect(translate({ format })).toStrictEqual({ alternatives, gaps });
});

test("values that set no variable are empty or blank texts, and what programs do not get", () => {
  const INVISIBLE = HAS_VISIBLE.pattern.replace("[^", "[");
  const notDelivered = [{ type: "null" }, { type: "array" }, { type: "object" }];
  expect([EMPTY_VALUES, BLANK_VALUES, INVISIBLE_TEXT]).toEqual([
    [text("^$"), ...notDelivered],
    [text(`^${INVISIBLE}*$`), ...notDelivered],
    text(`^${INVISIBLE}+$`),
  ]);
});

test("a variable without a format allows each value with which it is set", () => {
  expect(createValueSchema({}, false)).toEqual({
    alternatives: [{ type: "string", ...HAS_VISIBLE }, NUMBER, BOOLEAN],
    gaps: [],
  });
});

test.each<[unknown, EscSchema]>([
  [{ type: "text" }, HAS_VISIBLE],
  [
    { type: "text", minLength: 2 },
    { pattern: "(?s)^.{2}", anyOf: [HAS_VISIBLE] },
  ],
  [
    { type: "text", prefix: " " },
    { pattern: "^(?: )", anyOf: [HAS_VISIBLE] },
  ],
  [
    { type: "text", prefix: ["x", " "] },
    { pattern: "^(?:x| )", anyOf: [HAS_VISIBLE] },
  ],
  [{ type: "text", prefix: ["x", " y"] }, { pattern: "^(?:x| y)" }],
])("a required text with %j must have a visible character, unless its prefix has one", (format, schema) => {
  expect(translate({ format }, true).alternatives[0]).toEqual({ type: "string", ...schema });
});

test("a variable for a file may have the content of the file, or an absolute path", () => {
  const { alternatives } = translate({ format: { type: "text", prefix: "-----BEGIN" }, as: "file" });
  expect(alternatives).toEqual([text("^(?:-----BEGIN)"), text(String.raw`^(?:/|[A-Za-z]:[\\/])`)]);
});

describe("the expression for a text has the verdict of the format itself:", () => {
  const longLabel = "a".repeat(63);
  const table: Readonly<Record<string, readonly string[]>> = {
    port: "0 00000 1 00001 000001 9 10 00010 000010 99 100 00999 1000 01000 9999 10000 59999 60000 64999 65000 65499 65500 65529 65530 65535 65536 65540 65600 66000 70000 100000 8080x x8080 -1 +1".split(
      " ",
    ),
    base64: [
      ..."YQ== YQ YWI= YWI YWJj YWJjYQ== YWJjZA YWJjZGU= YWJjZGVm a_-9 a+/9 a_+9 Y YQ= YQ=== YWI== YWJj= YWJj== = == YWJjY YQ==YWJj é".split(
        " ",
      ),
      "\n",
      "\r\nYW\nJj\r\n",
      "YQ=\n=\n",
      "YQ\r==",
      "YW Jj",
      "",
    ],
    email: [
      ..."a@b a.b+c@d-e.f.g A0_.!#$%&'*+/=?^`{|}~-@x @b a@ a@b. a@.b a@-b a@b- a@b..c a@b@c a,b@c a@b_c a@bé é@b".split(
        " ",
      ),
      `${"a".repeat(64)}@b`,
      `${"a".repeat(65)}@b`,
      `a@${longLabel}.${longLabel}`,
      `a@a${longLabel}`,
      `a@b.a${longLabel}`,
    ],
    number: "0 1. .5 1.5 -1.5 +1.5 1e3 1E-3 1e+30 . 1.5.1 e3 1e 1e1.5 --1 x1 1x 0x10".split(" "),
    boolean: "true FALSE Yes no ON off 1 0 2 10 yess y truefalse".split(" "),
    integer: "0 -0 +7 -12 007 1.0 1e3 - + 1x x1 --1".split(" "),
  };
  const rows = Object.entries(table).flatMap(([kind, texts]) => texts.map((value) => [kind, value] as const));

  test.each(rows)("%s %j", (kind, value) => {
    const format = contractOf({ variables: { VALUE: { format: kind } } }).variables.get("VALUE")?.format;
    if (format === undefined) throw new Error("the variable has no format");
    const patterns = createValueSchema({ format }, false).alternatives.flatMap(({ pattern = [] }) => pattern);
    expect(patterns).toHaveLength(1);
    const [pattern = ""] = patterns;
    // RE2 writes the flag into the group. Regular expressions of older versions of JavaScript cannot.
    const expression = new RegExp(pattern.replace("(?i:", "(?:"), pattern.includes("(?i:") ? "i" : "");
    expect(expression.test(value)).toBe(findFormatFault(format, value, "VALUE") === undefined);
  });
});
