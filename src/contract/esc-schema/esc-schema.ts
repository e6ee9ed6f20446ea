/**
 * The part of JSON Schema that `fn::validate` of Pulumi ESC reads, as far as contracts need it. There is no `not` and no `allOf`;
 * `pattern` is an expression of RE2 that may match anywhere; a number never equals a string.
 */
export interface EscSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: "array" | "boolean" | "null" | "number" | "object" | "string";
  readonly pattern?: string;
  readonly enum?: readonly (string | boolean)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly anyOf?: readonly EscSchema[];
  /** `#/$defs/NAME`: what the schema of this name says holds as well. */
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, EscSchema>>;
  readonly $defs?: Readonly<Record<string, EscSchema>>;
}
