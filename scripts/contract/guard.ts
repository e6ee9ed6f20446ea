/**
 * Generates a type guard from the schema. It only answers yes or no, so that a valid contract costs a fraction of a
 * millisecond. src/contract/file/explain-rejection.ts finds the errors of an invalid one.
 */
import { referenceOf, typesOf, type Schema, type TypeName } from "../../src/contract/file/schema.ts";

/** Returns the text of a module that exports `is<Title>`. */
export function generateGuard(schema: Schema, typesModule: string): string {
  const { definitions = {}, title = "Root", ...root } = schema;
  const functions = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) define(name, definition, functions);
  define(title, root, functions);
  return [
    `import type { ${title} } from ${JSON.stringify(typesModule)};\n`,
    `/** Returns true if a value that JSON.parse returned is valid by the JSON Schema of contract files. */`,
    `export function is${title}(value: unknown): value is ${title} {\n  return check${title}(value);\n}\n`,
    `type JsonObject = { readonly [key: string]: unknown };\n`,
    `function isJsonObject(value: unknown): value is JsonObject {`,
    `  return typeof value === "object" && value !== null && !Array.isArray(value);\n}\n`,
    ...functions.values(),
  ].join("\n");
}

type Functions = Map<string, string>;

function define(name: string, schema: Schema, functions: Functions): void {
  functions.set(name, "");
  functions.set(name, `function check${name}(value: unknown): boolean {\n${bodyOf(name, schema, functions)}}\n`);
}

/** Returns an expression that is true if `value` meets the schema; it calls a function if it needs statements. */
function expressionOf(name: string, schema: Schema, functions: Functions, value: string): string {
  const reference = referenceOf(schema);
  if (reference !== undefined) return `check${reference}(${value})`;
  if (schema.const !== undefined) return `${value} === ${JSON.stringify(schema.const)}`;
  if (schema.enum !== undefined) {
    return `(${schema.enum.map((member) => `${value} === ${JSON.stringify(member)}`).join(" || ")})`;
  }
  if (schema.oneOf !== undefined || schema.if !== undefined) return ownFunction(name, schema, functions, value);
  const alternatives = typesOf(schema).map((type) => typeExpression(type, name, schema, functions, value));
  return alternatives.length === 1 ? (alternatives[0] ?? "true") : `(${alternatives.join(" || ")})`;
}

function ownFunction(name: string, schema: Schema, functions: Functions, value: string): string {
  define(name, schema, functions);
  return `check${name}(${value})`;
}

function typeExpression(type: TypeName, name: string, schema: Schema, functions: Functions, value: string): string {
  const conditions: string[] = [];
  switch (type) {
    case "string":
      conditions.push(`typeof ${value} === "string"`);
      // JSON Schema counts code points; for the lengths in use here code units differ only beyond the limit.
      if (schema.minLength !== undefined) conditions.push(`${value}.length >= ${schema.minLength}`);
      if (schema.maxLength !== undefined)
        conditions.push(
          `(${value}.length <= ${schema.maxLength} || Array.from(${value}).length <= ${schema.maxLength})`,
        );
      if (schema.pattern !== undefined) conditions.push(`${new RegExp(schema.pattern, "u").toString()}.test(${value})`);
      break;
    case "boolean":
      conditions.push(`typeof ${value} === "boolean"`);
      break;
    case "integer":
    case "number":
      conditions.push(type === "integer" ? `Number.isInteger(${value})` : `typeof ${value} === "number"`);
      if (type === "integer") conditions.unshift(`typeof ${value} === "number"`);
      if (schema.minimum !== undefined) conditions.push(`${value} >= ${schema.minimum}`);
      if (schema.maximum !== undefined) conditions.push(`${value} <= ${schema.maximum}`);
      break;
    case "array":
      conditions.push(`Array.isArray(${value})`);
      if (schema.minItems !== undefined) conditions.push(`${value}.length >= ${schema.minItems}`);
      if (schema.maxItems !== undefined) conditions.push(`${value}.length <= ${schema.maxItems}`);
      if (schema.uniqueItems === true)
        conditions.push(`(${value}.length < 2 || new Set(${value}).size === ${value}.length)`);
      if (schema.items !== undefined) {
        const item = expressionOf(`${name}Item`, schema.items, functions, "item");
        conditions.push(`${value}.every((item: unknown) => ${item})`);
      }
      break;
    case "object":
      return ownFunction(`${name}Object`, { ...schema, type: "object" }, functions, value);
  }
  return conditions.length === 1 ? (conditions[0] ?? "true") : `(${conditions.join(" && ")})`;
}

function bodyOf(name: string, schema: Schema, functions: Functions): string {
  if (schema.if !== undefined && schema.then !== undefined && schema.else !== undefined) {
    return `if (${expressionOf(`${name}If`, schema.if, functions, "value")}) return ${expressionOf(`${name}Then`, schema.then, functions, "value")};
return ${expressionOf(`${name}Else`, schema.else, functions, "value")};\n`;
  }
  if (schema.oneOf !== undefined) {
    return `return ${schema.oneOf.map((one, index) => expressionOf(`${name}${index}`, one, functions, "value")).join(" || ")};\n`;
  }
  if (schema.type === "object") return objectBody(name, schema, functions);
  return `return ${expressionOf(name, schema, functions, "value")};\n`;
}

function objectBody(name: string, schema: Schema, functions: Functions): string {
  const { properties = {}, required = [], propertyNames, additionalProperties, maxProperties } = schema;
  const lines = ["if (!isJsonObject(value)) return false;"];
  for (const key of required) lines.push(`if (!Object.hasOwn(value, ${JSON.stringify(key)})) return false;`);
  if (maxProperties !== undefined) lines.push(`if (Object.keys(value).length > ${maxProperties}) return false;`);
  const known = Object.entries(properties);
  const rest =
    additionalProperties === false
      ? "false"
      : typeof additionalProperties === "object"
        ? expressionOf(`${name}Value`, additionalProperties, functions, "member")
        : "true";
  // JSON.parse makes plain objects, whose enumerable properties are their own. Object.entries would cost more than all
  // checks together.
  lines.push("for (const key in value) {", "const member = value[key];");
  if (propertyNames !== undefined) {
    lines.push(`if (!${expressionOf(`${name}Key`, propertyNames, functions, "key")}) return false;`);
  }
  if (known.length === 0) {
    lines.push(`if (!${rest}) return false;`);
  } else {
    lines.push("switch (key) {");
    for (const [key, property] of known) {
      const capital = key.replace(/^\$?(.)/, (_, first: string) => first.toUpperCase());
      lines.push(`case ${JSON.stringify(key)}:`);
      lines.push(`if (!(${expressionOf(`${name}${capital}`, property, functions, "member")})) return false;`, "break;");
    }
    lines.push(
      rest === "true"
        ? "default:"
        : rest === "false"
          ? "default: return false;"
          : `default: if (!${rest}) return false;`,
    );
    lines.push("}");
  }
  lines.push("}", "return true;");
  return `${lines.join("\n")}\n`;
}
