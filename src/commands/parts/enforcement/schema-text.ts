/** The text of a schema in a definition of Pulumi ESC. Pure. */
import { keyText, quoted, withoutReferences } from "../../../esc/definition/nodes.ts";
import type { EscSchema } from "../../../contract/esc-schema/esc-schema.ts";

const STEP = 2;
/** Words that need no quotes: they are the types of JSON Schema but for `null`. */
const PLAIN = /^(?:array|boolean|number|object|string)$/;
/** Members of which each entry has a line of its own. */
const BLOCKS = ["properties", "anyOf", "$defs"] as const;

/** Returns the lines below a key of `values` that apply the schema to the environment's variables. @param indent in columns */
export function validationLines(schema: EscSchema, indent: number): readonly string[] {
  const lines = [
    "fn::validate:",
    `${" ".repeat(STEP)}schema:`,
    ...schemaLines(schema).map((line) => " ".repeat(2 * STEP) + line),
    `${" ".repeat(STEP)}value: \${environmentVariables}`,
  ];
  return lines.map((line) => " ".repeat(indent) + line);
}

function schemaLines(schema: EscSchema): readonly string[] {
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]): readonly string[] => {
    if (!BLOCKS.some((block) => block === key)) return [`${key}: ${flow(value)}`];
    const entries = Array.isArray(value)
      ? value.map((each: unknown) => `- ${flow(each)}`)
      : Object.entries(Object(value)).map(([name, each]: [string, unknown]) => `${keyText(name)}: ${flow(each)}`);
    return entries.length === 0 ? [`${key}: {}`] : [`${key}:`, ...entries.map((entry) => " ".repeat(STEP) + entry)];
  });
}

/** Writes a value on one line. ESC replaces `${…}` and `$$` in texts. */
function flow(value: unknown): string {
  if (typeof value === "string") return PLAIN.test(value) ? value : quoted(withoutReferences(value));
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const members = Object.entries(value).map(([key, member]: [string, unknown]) => `${keyText(key)}: ${flow(member)}`);
  return `{${members.join(", ")}}`;
}
