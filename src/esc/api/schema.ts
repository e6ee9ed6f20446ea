/** The schema of an answer: names and types of values that are not known. Its `const` holds plain secrets. */
import { type Fields, fieldsOf, valueAt } from "../transport/answer.ts";

/** The schemas of the direct children of a property such as `environmentVariables`. */
export function childSchemas(answer: Fields, property: string): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(fieldsOf(valueAt(answer, "schema", "properties", property, "properties")) ?? {}));
}

/** Returns true for a list or an object, which no environment variable can be. */
export function isListOrObject(schema: unknown): boolean {
  const type = valueAt(schema, "type");
  return type === "array" || type === "object";
}
