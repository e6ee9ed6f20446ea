/**
 * The part of JSON Schema (draft 7) that the schema of contracts uses. The generators in scripts/contract make the guard
 * and the types from the schema; explain-rejection.ts explains why a document does not have its form.
 */

export type TypeName = "string" | "boolean" | "integer" | "number" | "array" | "object";

export interface Schema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly maxProperties?: number;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: boolean | Schema;
  /** The schema writes `if` only to tell types apart: the guard and the explanation look at its `type` alone. */
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly oneOf?: readonly Schema[];
  /** Names the member whose value decides which schema of `oneOf` applies (a keyword of OpenAPI). */
  readonly discriminator?: { readonly propertyName: string };
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** Returns the types that a schema allows: all if it names none. */
export function typesOf({ type }: Schema): readonly TypeName[] {
  if (type === undefined) return ["string", "boolean", "integer", "number", "array", "object"];
  return typeof type === "string" ? [type] : type;
}

/** Returns `name` of a reference `"$ref": "#/definitions/name"`; undefined for a schema without a reference. */
export function referenceOf({ $ref }: Schema): string | undefined {
  return $ref?.replace("#/definitions/", "");
}
