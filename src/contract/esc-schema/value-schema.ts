/**
 * Translates the format of one variable into schemas for its value in Pulumi ESC. contract-schema.ts puts them into the
 * schema of the whole contract, and schema-findings.ts uses them to explain why ESC refused a value.
 *
 * A value in ESC may be a text, a number or a boolean. Programs get all of them as text, so that the schemas must allow
 * both `PORT: 8080` and `PORT: "8080"`.
 *
 *     contract   "format": "port"
 *     schemas    { type: string, pattern: "^(?:0{0,4}[1-9]|…)$" }, { type: number, multipleOf: 1, minimum: 1, maximum: 65535 }
 */
import type { Declaration, FormatFault, ValueFormat } from "../contract-model.ts";
import { isBlank, VISIBLE } from "../check-contract.ts";
import { findFormatFault } from "../format.ts";
import { type Pattern, parsePattern } from "../pattern/pattern-syntax.ts";
import type { EscSchema } from "./esc-schema.ts";
import { writeIntegerPattern } from "./integer-pattern.ts";
import { MAX_REPETITIONS, writeRe2Pattern, writeRe2Set, writeRe2Text } from "./re2-pattern.ts";

/** A part of a format that a schema cannot express, so that only a start checks it. */
type Gap =
  | "length"
  | "pattern"
  | "pattern or length of a number without quotes"
  | "range of a number in quotes"
  | "syntax of JSON"
  | "syntax of a URL";

/** The schemas for the value of one variable. */
export interface ValueSchema {
  /**
   * Each value of the format meets at least one of these schemas. Because of the gaps, other values may meet one as
   * well.
   */
  readonly alternatives: readonly EscSchema[];
  readonly gaps: readonly Gap[];
}

const VISIBLE_CHARACTER = writeRe2Set(VISIBLE.source);
const INVISIBLE_CHARACTER = writeRe2Set(VISIBLE.source.replace("[^", "["));
/** Schemas of values that sophia-run does not pass on to programs, so that the variable is not set. */
const NOT_DELIVERED: readonly EscSchema[] = [{ type: "null" }, { type: "array" }, { type: "object" }];
/** Schemas of values that sophia-run treats like a missing variable. */
export const EMPTY_VALUES: readonly EscSchema[] = [{ type: "string", pattern: "^$" }, ...NOT_DELIVERED];
/** The schema of texts that have only invisible characters, such as spaces, so that the variable is not set. */
export const INVISIBLE_TEXT: EscSchema = { type: "string", pattern: `^${INVISIBLE_CHARACTER}+$` };
/** Schemas of all values with which the variable is not set. */
export const BLANK_VALUES: readonly EscSchema[] = [
  { type: "string", pattern: `^${INVISIBLE_CHARACTER}*$` },
  ...NOT_DELIVERED,
];
const ANY_NUMBER: EscSchema = { type: "number" };
const ANY_BOOLEAN: EscSchema = { type: "boolean" };
/** Schemas of all values with which the variable is set. */
export const SET_VALUES: readonly EscSchema[] = [
  { type: "string", pattern: VISIBLE_CHARACTER },
  ANY_NUMBER,
  ANY_BOOLEAN,
];

/**
 * Returns the schemas for values of a declared variable.
 *
 * @param mustBeSet true if the variable is required, so that a text must have a visible character
 */
export function createValueSchema({ format, as }: Pick<Declaration, "format" | "as">, mustBeSet: boolean): ValueSchema {
  if (format === undefined) return { alternatives: SET_VALUES, gaps: [] };
  const { texts, gaps: textGaps } = createTextSchemas(format, mustBeSet);
  // For `"as": "file"` the variable may hold the content of the file, or its path.
  const absolutePaths = as === "file" ? [{ type: "string", pattern: String.raw`^(?:/|[A-Za-z]:[\\/])` } as const] : [];
  const numbers = createNumberSchemas(format);
  const allowsAnyNumber = format.kind === "text" && numbers.length > 0;
  const numberGaps: readonly Gap[] = allowsAnyNumber ? ["pattern or length of a number without quotes"] : [];
  const gaps = [...textGaps, ...numberGaps];
  return { alternatives: [...texts, ...absolutePaths, ...numbers, ...createBooleanSchemas(format)], gaps };
}

type TextFormat = Extract<ValueFormat, { kind: "text" }>;

interface TextSchemas {
  readonly texts: readonly EscSchema[];
  readonly gaps: readonly Gap[];
}

/**
 * Returns the schemas for values that are texts in ESC. The expressions are those of format.ts, in the syntax of RE2.
 */
function createTextSchemas(format: ValueFormat, mustBeSet: boolean): TextSchemas {
  switch (format.kind) {
    case "text":
      return createFreeTextSchemas(format, mustBeSet);
    case "url": {
      const scheme =
        format.schemes.length === 0 ? "[A-Za-z][A-Za-z0-9+.-]*" : `(?i:${format.schemes.map(writeRe2Text).join("|")})`;
      return { texts: [createPatternSchema(`${scheme}://${writeRe2Set(String.raw`\S`)}+`)], gaps: ["syntax of a URL"] };
    }
    case "integer": {
      const { minimum, maximum } = format;
      if (minimum === undefined && maximum === undefined) return createExactTextSchemas("[+-]?[0-9]+");
      const pattern = writeIntegerPattern(minimum, maximum);
      return pattern === undefined
        ? { texts: [createPatternSchema("[+-]?[0-9]+")], gaps: ["range of a number in quotes"] }
        : createExactTextSchemas(pattern);
    }
    case "number": {
      const isLimited = format.minimum !== undefined || format.maximum !== undefined;
      const text = createPatternSchema(String.raw`[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?`);
      return { texts: [text], gaps: isLimited ? ["range of a number in quotes"] : [] };
    }
    case "boolean":
      return createExactTextSchemas("(?i:true|false|yes|no|on|off|1|0)");
    case "port":
      // From 1 to 65535, with at most five digits, of which the first may be zeros.
      return createExactTextSchemas(
        "0{0,4}[1-9]|0{0,3}[1-9][0-9]|0{0,2}[1-9][0-9]{2}|0?[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
      );
    case "enum":
      return { texts: [{ type: "string", enum: format.values }], gaps: [] };
    case "json":
      // Checks only that the first character can begin a JSON value.
      return { texts: [{ type: "string", pattern: String.raw`^[\t\n\r ]*["\[{0-9tfn-]` }], gaps: ["syntax of JSON"] };
    case "base64":
      return createExactTextSchemas(
        [writeBase64Expression("[A-Za-z0-9+/]"), writeBase64Expression("[A-Za-z0-9_-]")].join("|"),
      );
    case "email":
      // The template cannot contain a backtick directly, because String.raw keeps the backslash of an escaped one.
      return createExactTextSchemas(
        String.raw`[A-Za-z0-9_.!#$%&'*+/=?^${"`"}{|}~-]{1,64}@LABEL(?:\.LABEL)*`.replaceAll(
          "LABEL",
          "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        ),
      );
  }
}

/** One requirement on the text of a value. */
export interface TextRule {
  /** The expression of RE2 that the text must match. */
  readonly expression: string;
  /** The fault of a text that does not match. `blank` means that the text has no visible character. */
  readonly fault: FormatFault | "blank";
}

/** Returns the requirements of the format `text` that RE2 can express. @param mustBeSet see {@link createValueSchema} */
export function createTextRules(format: TextFormat | undefined, mustBeSet: boolean): readonly TextRule[] {
  const { prefixes = [], minLength = 0, pattern } = format ?? {};
  const rules: TextRule[] = [];
  if (prefixes.length > 0) {
    rules.push({ expression: `^(?:${prefixes.map(writeRe2Text).join("|")})`, fault: { kind: "prefix", prefixes } });
  }
  const expression = pattern === undefined ? undefined : writeRe2Pattern(pattern.source);
  if (expression !== undefined && pattern !== undefined) {
    rules.push({ expression, fault: { kind: "pattern", pattern: pattern.source } });
  }
  if (minLength > 1 && minLength <= MAX_REPETITIONS) {
    rules.push({ expression: `(?s)^.{${minLength}}`, fault: { kind: "too-short", minLength } });
  }
  const isVisibleByPrefix = prefixes.length > 0 && prefixes.every((prefix) => !isBlank(prefix));
  if (mustBeSet && !isVisibleByPrefix) rules.push({ expression: VISIBLE_CHARACTER, fault: "blank" });
  return rules;
}

/**
 * Returns the schema of the format `text`. A schema of ESC counts the length of a text in bytes. Only a regular expression can limit
 * its length in characters.
 */
function createFreeTextSchemas(format: TextFormat, mustBeSet: boolean): TextSchemas {
  const { minLength, pattern } = format;
  const rules = createTextRules(format, mustBeSet);
  const hasPatternRule = rules.some(({ fault }) => typeof fault === "object" && fault.kind === "pattern");
  const gaps: Gap[] = [];
  if (pattern !== undefined && !hasPatternRule) gaps.push("pattern");
  if (minLength > MAX_REPETITIONS) gaps.push("length");
  return { texts: [{ type: "string", ...createPatternMembers(rules.map(({ expression }) => expression)) }], gaps };
}

/**
 * Returns the members of a schema for texts that match all expressions. ESC has no `allOf`. But a `pattern` and an
 * `anyOf` in the same schema must both hold, so that each further expression is in an `anyOf` with one alternative.
 */
function createPatternMembers([first, ...others]: readonly string[]): EscSchema {
  if (first === undefined) return {};
  return { pattern: first, ...(others.length === 0 ? {} : { anyOf: [createPatternMembers(others)] }) };
}

/** Returns the schema of a format that the expression describes completely, so that there is no gap. */
function createExactTextSchemas(expression: string): TextSchemas {
  return { texts: [createPatternSchema(expression)], gaps: [] };
}

/** Returns the schema of texts that the expression matches as a whole. */
function createPatternSchema(expression: string): EscSchema {
  return { type: "string", pattern: `^(?:${expression})$` };
}

/**
 * Returns the expression for base64 (RFC 4648, section 4 or 5), with or without padding. Line breaks may be anywhere.
 */
function writeBase64Expression(digitSet: string): string {
  const breaks = String.raw`(?:\r?\n)*`;
  const digit = `${digitSet}${breaks}`;
  const groupOfFour = `(?:${digit}){4}`;
  const lastGroup = `(?:(?:${digit}){2}(?:=${breaks}=${breaks})?|(?:${digit}){3}(?:=${breaks})?)`;
  return `${breaks}(?:(?:${groupOfFour})+${lastGroup}?|${lastGroup})`;
}

/** Returns the schemas for values that are numbers in ESC. Programs get the digits of the number. */
function createNumberSchemas(format: ValueFormat): readonly EscSchema[] {
  switch (format.kind) {
    case "integer":
    case "number": {
      const { kind, minimum, maximum } = format;
      return [
        {
          type: "number",
          ...(kind === "integer" ? { multipleOf: 1 } : {}),
          ...(minimum === undefined ? {} : { minimum }),
          ...(maximum === undefined ? {} : { maximum }),
        },
      ];
    }
    case "port":
      return [{ type: "number", multipleOf: 1, minimum: 1, maximum: 65_535 }];
    case "boolean":
      return [0, 1].map(createSchemaOfNumber);
    case "enum":
      // Lists the values that ESC may hold as numbers, such as `8` and `-1.5`.
      return format.values
        .filter((value) => /^-?\d/.test(value) && Number.isFinite(Number(value)))
        .map((value) => createSchemaOfNumber(Number(value)));
    case "url":
    case "email":
      return [];
    case "text":
      return mayBeNumber(format) ? [ANY_NUMBER] : [];
    case "json":
    case "base64":
      return [ANY_NUMBER];
  }
}

/** Returns false only if no number, written as text, has the format. If it returns true, a number may have the format or not. */
function mayBeNumber({ prefixes, pattern }: TextFormat): boolean {
  const mayHavePrefix = prefixes.length === 0 || prefixes.some((prefix) => /^[-+\d.e]*$/i.test(prefix));
  if (!mayHavePrefix) return false;
  return pattern === undefined || mayConsistOf(Array.from("0123456789-+.eE"), parsePattern(pattern.source));
}

/** Returns false for a pattern that no text of these characters matches. It may also return true for such a pattern. */
function mayConsistOf(characters: readonly string[], pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "character":
      return characters.some((character) => pattern.characterSet.test(character));
    case "sequence":
      return pattern.parts.every((part) => mayConsistOf(characters, part));
    case "alternatives":
      return pattern.parts.some((part) => mayConsistOf(characters, part));
    case "repetition":
      return pattern.minCount === 0 || mayConsistOf(characters, pattern.part);
  }
}

/**
 * Returns the schema of one number. It is not an `enum`, for which ESC compares digits, so that `1.0` would differ from
 * `1`.
 */
function createSchemaOfNumber(value: number): EscSchema {
  return { type: "number", minimum: value, maximum: value };
}

/** Returns the schemas for values that are booleans in ESC. Programs get the words `true` and `false`. */
function createBooleanSchemas(format: ValueFormat): readonly EscSchema[] {
  const allowed = [true, false].filter((value) => findFormatFault(format, String(value), "") === undefined);
  if (allowed.length === 0) return [];
  return allowed.length === 2 ? [ANY_BOOLEAN] : [{ type: "boolean", enum: allowed }];
}
