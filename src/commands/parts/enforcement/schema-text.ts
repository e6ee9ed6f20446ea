/**
 * Writes the schema of a contract as YAML for the definition of an ESC environment; pure. The lines look like this:
 *
 *     fn::validate:
 *       schema:
 *         type: object
 *         properties:
 *           PORT: {type: string, pattern: "^[0-9]+$"}
 *       value: ${environmentVariables}
 */
import { keyText, quoted, withoutReferences } from "../../../esc/definition/nodes.ts";
import type { EscSchema } from "../../../contract/esc-schema/esc-schema.ts";

/** Columns by which YAML is indented below its key. */
const INDENT = 2;
/** The types of JSON Schema that need no quotes in YAML: all of them but `null`. */
const UNQUOTED_TYPE = /^(?:array|boolean|number|object|string)$/;
/** The members of a schema that are written with one entry on each line. All others are written on one line. */
const MULTILINE_MEMBERS = ["properties", "anyOf", "$defs"] as const;

/**
 * Returns the lines below a key of `values` that make ESC check the environment's variables by the schema.
 *
 * @param indent the columns by which all lines are indented
 */
export function validationLines(schema: EscSchema, indent: number): readonly string[] {
  const lines = [
    "fn::validate:",
    ...indentLines(["schema:", ...indentLines(schemaLines(schema), INDENT)], INDENT),
    ...indentLines(["value: ${environmentVariables}"], INDENT),
  ];
  return indentLines(lines, indent);
}

function indentLines(lines: readonly string[], columns: number): readonly string[] {
  return lines.map((line) => " ".repeat(columns) + line);
}

function schemaLines(schema: EscSchema): readonly string[] {
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]): readonly string[] => {
    if (!MULTILINE_MEMBERS.some((member) => member === key)) return [`${key}: ${inlineText(value)}`];
    const entries = Array.isArray(value)
      ? value.map((item: unknown) => `- ${inlineText(item)}`)
      : Object.entries(Object(value)).map(([name, item]: [string, unknown]) => `${keyText(name)}: ${inlineText(item)}`);
    return entries.length === 0 ? [`${key}: {}`] : [`${key}:`, ...indentLines(entries, INDENT)];
  });
}

/** Returns a value as YAML on one line. Strings are escaped, because ESC replaces `${…}` and `$$` in them. */
function inlineText(value: unknown): string {
  if (typeof value === "string") return UNQUOTED_TYPE.test(value) ? value : quoted(withoutReferences(value));
  if (Array.isArray(value)) return `[${value.map(inlineText).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const members = Object.entries(value).map(
    ([key, member]: [string, unknown]) => `${keyText(key)}: ${inlineText(member)}`,
  );
  return `{${members.join(", ")}}`;
}
