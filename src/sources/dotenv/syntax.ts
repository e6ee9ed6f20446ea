import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { count, printable } from "../../core/text.ts";

/** `NAME=`, `export NAME=` or `NAME: `, with the names that dotenv accepts. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/;
/** dotenv trims a value without these and changes nothing else; most values need no parser. */
const SPECIAL = /[#"'`]/;
/** dotenv passes these unchanged; other tools replace them by a value. */
const REFERENCE = /\$\{[A-Za-z_]\w*\}/;
/** Further remarks about a file are only counted. */
const MOST_REMARKS = 20;

export interface ParsedDotenv {
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
  /** All assignments with their first and last lines, from 0. */
  readonly assignments: readonly { readonly name: string; readonly first: number; readonly last: number }[];
}

/**
 * Finds the assignments of a `.env` file, whose values dotenv parses: it has no line numbers, and silently ignores lines
 * that it does not understand. @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL
 */
export async function parseDotenv(text: string, file: string): Promise<ParsedDotenv> {
  const lines = (text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text).split("\n");
  const found = new Map<string, Variable>();
  const assignments: { name: string; first: number; last: number }[] = [];
  const remarks: string[] = [];
  let further = 0;
  for (let at = 0; at < lines.length; at += 1) {
    const first = lines[at] ?? "";
    const line = at + 1;
    const place = (): string => `${printable(file)}:${line}`;
    const remark = (what: string): void => {
      if (remarks.length < MOST_REMARKS) remarks.push(`${place()}: ${what}`);
      else further += 1;
    };
    const malformed = (what: string, hint: string): SophiaError =>
      new SophiaError({ code: "dotenv", message: `${place()} has ${what}`, hint });
    const nul = (): SophiaError => malformed("a NUL character", "remove it; no variable can contain one");
    if (first.includes("\0")) throw nul();
    const content = first.trimStart();
    if (content === "" || content.startsWith("#")) continue;
    const [assignment, name] = ASSIGNMENT.exec(first) ?? [];
    if (assignment === undefined || name === undefined) {
      remark("not of the form NAME=value, ignored");
      continue;
    }
    const start = first.slice(assignment.length);
    const read = SPECIAL.test(start)
      ? (await import("./value.ts")).readValue(lines, at, start)
      : { value: start.trim(), lastLine: at };
    if (read === undefined) {
      const hint = `close it with ${start.trimStart().charAt(0)} at the end of a line, or use another kind of quote`;
      throw malformed("a quote that is never closed", hint);
    }
    const { value, lastLine } = read;
    if (value.includes("\0")) throw nul();
    if (found.has(name)) remark("this name was already set above; the last value is used");
    // Probably a secret, not a comment.
    if (value !== "" && start.trimStart().startsWith(`${value}#`)) {
      remark("the value ends before a #; quote it if the # is part of it");
    }
    if (value.includes("${") && !start.trimStart().startsWith("'") && REFERENCE.test(value)) {
      remark("the value holds a reference such as ${X}; it is passed unchanged");
    }
    const origin = { source: "dotenv", file, line } as const;
    found.set(name, { name, value, secret: true, origin, delivery: "value" });
    assignments.push({ name, first: at, last: lastLine });
    at = lastLine;
  }
  if (further > 0) remarks.push(`${printable(file)}: ${count(further, "more remark")} of this kind`);
  const notices = remarks.map((remark) => ({ kind: "remark" as const, text: remark }));
  return { variables: [...found.values()], notices, assignments };
}
