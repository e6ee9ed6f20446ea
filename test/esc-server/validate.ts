/** `fn::validate`: compares a value with a schema as the evaluator that Pulumi publishes does, with its words. */
import type { Range, ValueNode } from "./values.ts";

/** A finding about a value, at the place where the value is defined. */
export interface SchemaFinding {
  readonly summary: string;
  readonly path?: string;
  readonly range?: Range;
}

/** As far as definitions of these tests have it. */
export interface Schema {
  readonly type?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly enum?: readonly unknown[];
  readonly multipleOf?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Returns what is wrong with the value, each at the place where the part of the value is defined. */
export function validate(value: ValueNode, schema: Schema): readonly SchemaFinding[] {
  return findViolations(value, schema, schema.$defs ?? {});
}

type Definitions = Readonly<Record<string, Schema>>;

function findViolations(value: ValueNode, schema: Schema, definitions: Definitions): readonly SchemaFinding[] {
  const referred = schema.$ref === undefined ? undefined : definitions[schema.$ref.replace("#/$defs/", "")];
  if (value.kind === "unknown") return unknownFindings(value, schema);
  return [
    ...(referred === undefined ? [] : findViolations(value, referred, definitions)),
    ...anyOfFindings(value, schema, definitions),
    ...enumFindings(value, schema),
    ...typeFindings(value, schema, definitions),
  ];
}

/** Of an unknown value only the type is compared, if it is known. */
function unknownFindings(value: Extract<ValueNode, { kind: "unknown" }>, schema: Schema): readonly SchemaFinding[] {
  const type = value.of === undefined ? undefined : typeOf(value.of);
  if (type === undefined) return [];
  if (schema.anyOf !== undefined) {
    const each = schema.anyOf.map((one) => unknownFindings(value, one));
    return each.some((found) => found.length === 0)
      ? []
      : [...each.flat(), createFinding(value, "at least one subschema must match")];
  }
  return schema.type === undefined || schema.type === type
    ? []
    : [createFinding(value, `expected ${schema.type}, got ${type}`)];
}

function anyOfFindings(value: ValueNode, { anyOf = [] }: Schema, definitions: Definitions): readonly SchemaFinding[] {
  const each = anyOf.map((one) => findViolations(value, one, definitions));
  if (each.length === 0 || each.some((found) => found.length === 0)) return [];
  return [...each.flat(), createFinding(value, "at least one subschema must match")];
}

function enumFindings(value: ValueNode, { enum: allowed = [] }: Schema): readonly SchemaFinding[] {
  if (allowed.length === 0 || allowed.some((one) => isEqual(value, one))) return [];
  const words = allowed.length === 1 ? JSON.stringify(allowed[0]) : `one of ${JSON.stringify(allowed)}`;
  return [createFinding(value, `expected ${words}`)];
}

function isEqual(value: ValueNode, constant: unknown): boolean {
  switch (value.kind) {
    case "string":
      return value.text === constant;
    case "number":
      return typeof constant === "number" && value.text === String(constant);
    case "boolean":
      return value.value === constant;
    case "null":
      return constant === null;
    case "list":
    case "object":
    case "unknown":
    case "wire":
      return false;
  }
}

function typeOf({ kind }: ValueNode): string | undefined {
  return kind === "list" ? "array" : kind === "unknown" || kind === "wire" ? undefined : kind;
}

function typeFindings(value: ValueNode, schema: Schema, definitions: Definitions): readonly SchemaFinding[] {
  const type = typeOf(value);
  if (schema.type !== undefined && schema.type !== type) {
    return [createFinding(value, `expected ${schema.type}, got ${type ?? ""}`)];
  }
  switch (value.kind) {
    case "string":
      return textFindings(value, schema);
    case "number":
      return numberFindings(value, schema);
    case "object":
      return objectFindings(value, schema, definitions);
    case "boolean":
    case "list":
    case "null":
    case "unknown":
    case "wire":
      return [];
  }
}

function textFindings(value: Extract<ValueNode, { kind: "string" }>, schema: Schema): readonly SchemaFinding[] {
  const { minLength = 0, pattern } = schema;
  const found: SchemaFinding[] = [];
  if (Buffer.byteLength(value.text) < minLength) {
    found.push(createFinding(value, `expected a string of at least length ${minLength}`));
  }
  if (pattern !== undefined && !javascriptOf(pattern).test(value.text)) {
    // As Go's %q writes it.
    found.push(createFinding(value, `string must match the pattern ${JSON.stringify(pattern)}`));
  }
  return found;
}

/** Expressions of RE2 that JavaScript writes otherwise: flags of a group, and characters by their numbers. */
function javascriptOf(pattern: string): RegExp {
  const flags = /^\(\?([is]+)\)/.exec(pattern);
  const text = pattern
    .slice(flags?.[0].length ?? 0)
    .replaceAll(/\\x\{([\dA-F]+)\}/g, String.raw`\u{$1}`)
    .replaceAll(
      /\(\?i:((?:[^()\\]|\\.)*)\)/g,
      (_, inner: string) =>
        `(?:${inner.replaceAll(/(?<!\\)[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)})`,
    )
    // JavaScript refuses other escapes with the flag `u`.
    .replaceAll(/\\([ !"#%&',:;<=>@`~-])/g, "$1");
  return new RegExp(text, `u${flags?.[1] ?? ""}`);
}

function numberFindings(value: Extract<ValueNode, { kind: "number" }>, schema: Schema): readonly SchemaFinding[] {
  const number = Number(value.text);
  const { multipleOf, minimum = -Infinity, maximum = Infinity } = schema;
  const found: SchemaFinding[] = [];
  if (multipleOf !== undefined && !Number.isInteger(number / multipleOf)) {
    found.push(createFinding(value, `expected a multiple of ${multipleOf}`));
  }
  if (number < minimum) found.push(createFinding(value, `expected a number greater than or equal to ${minimum}`));
  // The evaluator has no space there.
  if (number > maximum) found.push(createFinding(value, `expected a number less than or equal to${maximum}`));
  return found;
}

function objectFindings(
  value: Extract<ValueNode, { kind: "object" }>,
  { properties = {}, required = [] }: Schema,
  definitions: Definitions,
): readonly SchemaFinding[] {
  const names = Array.from(value.properties.keys()).toSorted();
  const inside = names.flatMap((name) => {
    const child = value.properties.get(name);
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return child === undefined || schema === undefined ? [] : findViolations(child, schema, definitions);
  });
  const missing = required.filter((name) => !value.properties.has(name));
  if (missing.length === 0) return inside;
  return [...inside, createFinding(value, `missing required properties: ${missing.join(", ")}`)];
}

function createFinding({ path, range }: ValueNode, summary: string): SchemaFinding {
  return { summary, ...(path === undefined ? {} : { path }), ...(range === undefined ? {} : { range }) };
}
