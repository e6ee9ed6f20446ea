/** Parses `.env` files with quotes, references, or lines that need a remark. */
import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { schemeOf, type ReferenceForm } from "../../core/reference-forms.ts";
import { count, printable } from "../../core/text.ts";
import { ASSIGNMENT, linesOf, SPECIAL, type ParsedDotenv } from "./plain-syntax.ts";
import { hasProgramEscape, isWrittenByPulumi, LETTER_ESCAPE } from "./pulumi.ts";
import { readValue, type DotenvValue } from "./dotenv-value.ts";

/** Further remarks about a file are only counted. */
const MOST_REMARKS = 20;

export interface ThoroughlyParsed extends ParsedDotenv {
  /** All assignments with their first and last lines, from 0. */
  readonly assignments: readonly { readonly name: string; readonly first: number; readonly last: number }[];
}

/**
 * Finds the assignments of a `.env` file. dotenv, which parses most values, has no line numbers, and silently ignores
 * lines that it does not understand. @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL
 */
export function parseThoroughly(text: string, file: string): ThoroughlyParsed {
  const lines = linesOf(text);
  const isOfPulumi = isWrittenByPulumi(lines);
  const isCertain = !isOfPulumi || hasProgramEscape(lines);
  const byName = new Map<string, Variable>();
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
    const read: DotenvValue | undefined = SPECIAL.test(start)
      ? readValue(lines, at, start, isOfPulumi)
      : { value: start.trim(), lastLine: at };
    if (read === undefined) {
      const hint = `close it with ${start.trimStart().charAt(0)} at the end of a line, or use another kind of quote`;
      throw malformed("a quote that is never closed", hint);
    }
    const { value, lastLine, quote } = read;
    if (value.includes("\0")) throw nul();
    if (byName.has(name)) remark("this name was already set above; the last value is used");
    // Probably a secret, not a comment.
    if (value !== "" && start.trimStart().startsWith(`${value}#`)) {
      remark("the value ends before a #; quote it if the # is part of it");
    }
    if (quote === "`" && !/["'\n]/.test(value)) {
      remark("a backtick is a kind of quote here, and runs no command; for text use '");
    }
    if (!isCertain && LETTER_ESCAPE.test(start)) {
      remark("an escape such as \\t is decoded, as pulumi env open writes it; for a backslash use '");
    }
    const reference = referenceIn(value, isOfPulumi ? "'" : quote);
    const origin = { source: "dotenv", file, line } as const;
    byName.set(name, {
      name,
      value,
      secret: true,
      origin,
      delivery: "value",
      ...(reference === undefined ? {} : { reference }),
    });
    assignments.push({ name, first: at, last: lastLine });
    at = lastLine;
  }
  if (further > 0) remarks.push(`${printable(file)}: ${count(further, "more remark")} of this kind`);
  const notices = remarks.map((remark): Notice => ({ kind: "remark", text: remark }));
  const variables = [...byName.values()];
  const hasReferences = variables.some(({ reference }) => reference !== undefined);
  return { variables, notices, assignments, ...(hasReferences ? { references: true } : {}) };
}

/**
 * The forms that a shell replaces, the certain ones first. In a longer value a `$` may also be part of a password, and is
 * reported only in front of a word in capitals. Hashes of crypt(3) begin with `$` and have several.
 */
const SHELL_FORMS: readonly (readonly [ReferenceForm, RegExp])[] = [
  ["${X}", /(?<![\\$])\$\{[A-Za-z_]\w*(?:[:?+=#%/^,@-][^}]*)?\}/],
  ["$(…)", /^\$\(.+\)$/],
  ["$X", /^\$[A-Za-z_]\w*$/],
  ["`…`", /^`[^`]+`$/],
  ["$(…) in text", /(?<![\\$])\$\([A-Za-z_./~][^)]*\)/],
  ["$X in text", /(?<![\\$\w])\$[A-Z_][A-Z\d_]+(?![\w$])/],
];

/** Finds a reference in a value. In single quotes, and in backticks, text for a shell is meant as it stands. */
function referenceIn(value: string, quote: string | undefined): ReferenceForm | undefined {
  const scheme = schemeOf(value);
  if (scheme !== undefined || quote === "'" || quote === "`" || !/[$`]/.test(value)) return scheme;
  return SHELL_FORMS.find(([, form]) => form.test(value))?.[0];
}
