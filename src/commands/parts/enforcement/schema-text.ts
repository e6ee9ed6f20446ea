/**
 * Formats the schema of a contract as YAML for the definition of an ESC environment, into which `enforce` writes it. The lines look
 * like this:
 *
 *     fn::validate:
 *       schema:
 *         type: object
 *         properties:
 *           PORT: {type: string, pattern: "^[0-9]+$"}
 *       value: ${environmentVariables}
 */
import { keyText, quoted, escapeReferences } from "../../../esc/definition/nodes.ts";
import type { EscSchema } from "../../../contract/esc-schema/esc-schema.ts";

/** The columns by which lines are indented below their key. */
const INDENT = 2;
/** The strings that are written without quotes: the types in a contract's schema, which YAML reads as strings anyway. */
const UNQUOTED_TYPE = /^(?:array|boolean|number|object|string)$/;
/** The members of a schema whose entries have a line each. Any other member is written on one line. */
const MULTILINE_MEMBERS = ["properties", "anyOf", "$defs"] as const;

/**
 * Returns the lines of an entry below `values`, without its key. They make ESC check the variables of the environment by the
 * schema.
 *
 * @param indent the columns by which each line is indented
 */
export function formatValidation(schema: EscSchema, indent: number): readonly string[] {
  const lines = [
    "fn::validate:",
    ...indentLines(["schema:", ...indentLines(formatSchema(schema), INDENT)], INDENT),
    ...indentLines(["value: ${environmentVariables}"], INDENT),
  ];
  return indentLines(lines, indent);
}

function indentLines(lines: readonly string[], columns: number): readonly string[] {
  return lines.map((line) => " ".repeat(columns) + line);
}

/** Returns the lines of a JSON Schema: one for each member, or several for those of {@link MULTILINE_MEMBERS}. */
function formatSchema(schema: EscSchema): readonly string[] {
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]): readonly string[] => {
    if (!MULTILINE_MEMBERS.some((member) => member === key)) return [`${key}: ${formatOnOneLine(value)}`];
    const entries = Array.isArray(value)
      ? value.map((item: unknown) => `- ${formatOnOneLine(item)}`)
      : Object.entries(Object(value)).map(
          ([name, item]: [string, unknown]) => `${keyText(name)}: ${formatOnOneLine(item)}`,
        );
    return entries.length === 0 ? [`${key}: {}`] : [`${key}:`, ...indentLines(entries, INDENT)];
  });
}

/** Returns a value as YAML on one line. ESC would replace `${…}` and `$$` in strings, so these are escaped. */
function formatOnOneLine(value: unknown): string {
  if (typeof value === "string") return UNQUOTED_TYPE.test(value) ? value : quoted(escapeReferences(value));
  if (Array.isArray(value)) return `[${value.map(formatOnOneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const members = Object.entries(value).map(
    ([key, member]: [string, unknown]) => `${keyText(key)}: ${formatOnOneLine(member)}`,
  );
  return `{${members.join(", ")}}`;
}
