import type { Variable } from "../../core/model.ts";
import { schemeOf } from "../../core/references.ts";
import { ASSIGNMENT, linesOf, SPECIAL, type ParsedDotenv } from "./lines.ts";

/** Parses a `.env` file. @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL */
export async function parseDotenv(text: string, file: string): Promise<ParsedDotenv> {
  const variables = new Map<string, Variable>();
  const lines = linesOf(text);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [assignment = "", name] = ASSIGNMENT.exec(line) ?? [];
    const value = line.slice(assignment.length).trim();
    if (line.includes("\0") || (name === undefined && value !== "" && !value.startsWith("#"))) return thoroughly();
    if (name === undefined) continue;
    if (SPECIAL.test(value) || value.includes("$") || variables.has(name) || schemeOf(value) !== undefined) {
      return thoroughly();
    }
    const origin = { source: "dotenv", file, line: at + 1 } as const;
    variables.set(name, { name, value, secret: true, origin, delivery: "value" });
  }
  return { variables: [...variables.values()], notices: [] };

  /** Most files need no more than the above, so that the rest is in a file of its own. */
  async function thoroughly(): Promise<ParsedDotenv> {
    return (await import("./thorough.ts")).parseThoroughly(text, file);
  }
}
