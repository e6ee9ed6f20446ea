/**
 * A schema that `fn::validate` of Pulumi ESC reads: a dialect of JSON Schema, of which this type has the part that
 * contracts need:
 *
 *     { "type": "object", "required": ["PORT"], "properties": { "PORT": { "$ref": "#/$defs/set" } } }
 *
 * ESC has neither `not` nor `allOf`. A `pattern` has the syntax of RE2 (Go's regular expressions), and may match any
 * part of the text unless it has anchors. A number never equals a string.
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
  /** `#/$defs/NAME`. The schema of this name must hold in addition to the other members. */
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, EscSchema>>;
  readonly $defs?: Readonly<Record<string, EscSchema>>;
}
