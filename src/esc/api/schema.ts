/**
 * What the schema of an answer tells of values that are not known: which there are, and their types. Its `const` holds
 * values, secrets in plain text too, and is not read.
 */
import { type Fields, fieldsOf } from "../transport/answer.ts";

/** The schemas of the direct children of a property such as `environmentVariables`. */
export function childSchemas(answer: Fields, property: string): ReadonlyMap<string, unknown> {
  const top = new Map(propertiesOf(answer["schema"]));
  return new Map(propertiesOf(top.get(property)));
}

/** Whether it says that the value is a list or an object, which no environment variable can be. */
export function isListOrObject(schema: unknown): boolean {
  const type = fieldsOf(schema)?.["type"];
  return type === "array" || type === "object";
}

function propertiesOf(schema: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(fieldsOf(fieldsOf(schema)?.["properties"]) ?? {});
}
