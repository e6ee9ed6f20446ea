/**
 * The types of the JSON Schema (draft 7) of contract files, schema/sophia.contract.schema.json, as far as it uses the
 * standard. The generators in scripts/contract/ make types and the fast check of a document from it (generated/), and
 * explain-rejection.ts reads it to explain why a document is invalid.
 */

/** A name of a JSON type, as the keyword `type` has it. */
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
  /** The schema uses `if` only to distinguish types. The generators and explain-rejection.ts read only its `type`. */
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly oneOf?: readonly Schema[];
  /** Names the member whose value decides which schema of `oneOf` applies (a keyword of OpenAPI). */
  readonly discriminator?: { readonly propertyName: string };
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** Returns the types that a schema allows. A schema without `type` allows all. */
export function typesOf({ type }: Schema): readonly TypeName[] {
  if (type === undefined) return ["string", "boolean", "integer", "number", "array", "object"];
  return typeof type === "string" ? [type] : type;
}

/** Returns NAME of `"$ref": "#/definitions/NAME"`; undefined for a schema without `$ref`. */
export function referenceOf({ $ref }: Schema): string | undefined {
  return $ref?.replace("#/definitions/", "");
}
