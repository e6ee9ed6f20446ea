/** Reads the schema for the generators. */
import type { Schema } from "../../src/contract/file/schema.ts";

const KNOWN: ReadonlySet<string> = new Set<keyof Schema | "$schema" | "$id">([
  "$schema",
  "$id",
  "$ref",
  "title",
  "description",
  "type",
  "enum",
  "const",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "items",
  "minItems",
  "maxItems",
  "uniqueItems",
  "required",
  "properties",
  "maxProperties",
  "propertyNames",
  "additionalProperties",
  "if",
  "then",
  "else",
  "oneOf",
  "discriminator",
  "definitions",
]);

/** Reads a schema and refuses one that uses a keyword the generators would silently ignore. */
export function readSchema(text: string): Schema {
  const schema: unknown = JSON.parse(text);
  refuseUnknown(schema, "#");
  // Sound: every keyword is known, and each generator checks what it reads by the types it emits.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return schema as Schema;
}

function refuseUnknown(schema: unknown, where: string): void {
  for (const [key, value] of members(schema)) {
    if (!KNOWN.has(key)) throw new Error(`${where}: the generators do not know the keyword ${key}`);
    if (key === "properties" || key === "definitions") {
      for (const [name, child] of members(value)) refuseUnknown(child, `${where}/${key}/${name}`);
    } else if (key === "oneOf") {
      for (const [index, child] of members(value)) refuseUnknown(child, `${where}/oneOf/${index}`);
    } else if (["items", "propertyNames", "additionalProperties", "if", "then", "else"].includes(key)) {
      refuseUnknown(value, `${where}/${key}`);
    }
  }
}

function members(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
