/** Generates the TypeScript types of a contract file from the schema. */
import { referenceOf, typesOf, type Schema, type TypeName } from "../../src/contract/file/schema.ts";

/**
 * Returns the text of a module with a type for each definition, and the root under its title.
 *
 * @param exported the names of the types that other modules use
 */
export function generateTypes(schema: Schema, exported: ReadonlySet<string>): string {
  const { definitions = {}, ...root } = schema;
  const all = [[root.title ?? "Root", root] as const, ...Object.entries(definitions)];
  return all
    .map(
      ([name, definition]) =>
        `${comment(definition)}${exported.has(name) ? "export " : ""}type ${name} = ${typeOf(definition)};\n`,
    )
    .join("\n");
}

function comment({ description }: Schema): string {
  return description === undefined ? "" : `/** ${description.replaceAll("*/", "*\\/")} */\n`;
}

function typeOf(schema: Schema): string {
  const reference = referenceOf(schema);
  if (reference !== undefined) return reference;
  if (schema.oneOf !== undefined) return union(schema.oneOf.map(typeOf));
  if (schema.then !== undefined && schema.else !== undefined) return union([typeOf(schema.then), typeOf(schema.else)]);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  return union(typesOf(schema).map((type) => singleType(type, schema)));
}

function singleType(type: TypeName, schema: Schema): string {
  switch (type) {
    case "integer":
      return "number";
    case "array":
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case "object":
      return objectType(schema);
    case "string":
    case "boolean":
    case "number":
      return type;
  }
}

function objectType({ properties, required = [], propertyNames = {}, additionalProperties }: Schema): string {
  if (properties === undefined) {
    const key = referenceOf(propertyNames) ?? "string";
    return `{ readonly [name: ${key}]: ${typeof additionalProperties === "object" ? typeOf(additionalProperties) : "unknown"} }`;
  }
  const members = Object.entries(properties).map(
    ([name, property]) =>
      `${comment(property)}readonly ${name}${required.includes(name) ? "" : "?"}: ${typeOf(property)};`,
  );
  return `{\n${members.join("\n")}\n}`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}
