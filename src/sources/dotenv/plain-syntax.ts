import type { Variable, Notice } from "../../core/model.ts";
import { schemeOf } from "../../core/reference-forms.ts";

/** `NAME=`, `export NAME=` or `NAME: `, with the names that dotenv accepts. */
export const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/;
/** dotenv trims a value without these and changes nothing else; most values need no parser. */
export const SPECIAL = /[#"'`]/;

export interface ParsedDotenv {
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** A value is a reference. */
  readonly references?: true;
}

export function linesOf(text: string): readonly string[] {
  return (text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text).split("\n");
}

/** Parses a file without quotes, references and lines that need a remark. @returns undefined for any other file */
export function parsePlainly(text: string, file: string): ParsedDotenv | undefined {
  const variables = new Map<string, Variable>();
  const lines = linesOf(text);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [assignment = "", name] = ASSIGNMENT.exec(line) ?? [];
    const value = line.slice(assignment.length).trim();
    if (line.includes("\0") || (name === undefined && value !== "" && !value.startsWith("#"))) return undefined;
    if (name === undefined) continue;
    if (SPECIAL.test(value) || value.includes("$") || variables.has(name) || schemeOf(value) !== undefined) {
      return undefined;
    }
    const origin = { source: "dotenv", file, line: at + 1 } as const;
    variables.set(name, { name, value, secret: true, origin, delivery: "value" });
  }
  return { variables: [...variables.values()], notices: [] };
}
