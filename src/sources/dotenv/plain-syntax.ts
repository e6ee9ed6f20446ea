/**
 * Parses plain `.env` files, whose values need no parser: `NAME=value`, `export NAME=value`, `# comment`. Most files are
 * plain, so the hot path needs only this file. `thorough.ts` parses all others.
 */
import type { Variable, Notice } from "../../core/model.ts";
import { referencePrefixOf } from "../../core/reference-forms.ts";

/** The beginning of an assignment: `NAME=`, `export NAME=` or `NAME: `, with the names that dotenv accepts. */
export const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/;
/** The characters for which a value needs dotenv. It only trims a value without them. */
export const NEEDS_DOTENV = /[#"'`]/;

/** The variables of one file, and remarks about its lines. */
export interface ParsedDotenv {
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** Set if a value is a reference to a secret. */
  readonly references?: true;
}

/** Splits a text at line breaks of every kind: LF, CRLF and CR. */
export function linesOf(text: string): readonly string[] {
  return (text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text).split("\n");
}

/**
 * Parses a file without quotes, references, repeated names and lines that need a remark. @returns undefined for any other
 * file
 */
export function parsePlainly(text: string, file: string): ParsedDotenv | undefined {
  const variables = new Map<string, Variable>();
  const lines = linesOf(text);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const [assignment = "", name] = ASSIGNMENT.exec(line) ?? [];
    const value = line.slice(assignment.length).trim();
    // A NUL, and a line that is neither an assignment nor a comment, need a message.
    if (line.includes("\0") || (name === undefined && value !== "" && !value.startsWith("#"))) return undefined;
    if (name === undefined) continue;
    if (
      NEEDS_DOTENV.test(value) ||
      value.includes("$") ||
      variables.has(name) ||
      referencePrefixOf(value) !== undefined
    ) {
      return undefined;
    }
    const origin = { source: "dotenv", file, line: index + 1 } as const;
    variables.set(name, { name, value, secret: true, origin, delivery: "value" });
  }
  return { variables: [...variables.values()], notices: [] };
}
