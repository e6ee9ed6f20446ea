import type { Notice, Variable } from "../../core/model.ts";

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
