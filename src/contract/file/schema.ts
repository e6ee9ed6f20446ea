/** The part of JSON Schema (draft 7) that the contract's schema uses. */

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
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly discriminator?: { readonly propertyName: string };
  readonly definitions?: Readonly<Record<string, Schema>>;
}

export function typesOf({ type }: Schema): readonly TypeName[] {
  if (type === undefined) return ["string", "boolean", "integer", "number", "array", "object"];
  return typeof type === "string" ? [type] : type;
}

export function referenceOf({ $ref }: Schema): string | undefined {
  return $ref?.replace("#/definitions/", "");
}
