/**
 * Parses `.env` files with quotes, references, or lines that need a remark:
 *
 *     export NAME="a value # with a comment sign"   # a comment
 *     KEY: 'text on
 *     two lines'
 */
import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { schemeOf, type ReferenceForm } from "../../core/reference-forms.ts";
import { count, printable } from "../../core/text.ts";
import { ASSIGNMENT, linesOf, NEEDS_DOTENV, type ParsedDotenv } from "./plain-syntax.ts";
import { hasProgramEscape, isWrittenByPulumi, LETTER_ESCAPE } from "./pulumi.ts";
import { readValue, type DotenvValue } from "./dotenv-value.ts";

/** The number of remarks about a file that are listed. Further ones are only counted. */
const MAX_REMARKS = 20;

export interface ThoroughlyParsed extends ParsedDotenv {
  /** All assignments with the indices of their first and last lines. */
  readonly assignments: readonly { readonly name: string; readonly first: number; readonly last: number }[];
}

/**
 * Parses a `.env` file with a remark for each line that may not mean what its author meant. dotenv, which parses most
 * values, has no line numbers and silently ignores lines that it does not understand.
 * @throws SophiaError (dotenv, 125) for a quote that is never closed, and for a NUL
 */
export function parseThoroughly(text: string, file: string): ThoroughlyParsed {
  const lines = linesOf(text);
  const isOfPulumi = isWrittenByPulumi(lines);
  // A file with the form of Pulumi's CLI may still be written by hand, unless it has an escape that only a program writes.
  const isFormCertain = !isOfPulumi || hasProgramEscape(lines);
  const byName = new Map<string, Variable>();
  const assignments: { name: string; first: number; last: number }[] = [];
  const remarks: string[] = [];
  let unlistedRemarks = 0;
  for (let index = 0; index < lines.length; index += 1) {
    const lineText = lines[index] ?? "";
    const line = index + 1;
    const location = (): string => `${printable(file)}:${line}`;
    const remark = (what: string): void => {
      if (remarks.length < MAX_REMARKS) remarks.push(`${location()}: ${what}`);
      else unlistedRemarks += 1;
    };
    const malformed = (what: string, hint: string): SophiaError =>
      new SophiaError({ code: "dotenv", message: `${location()} has ${what}`, hint });
    const nulError = (): SophiaError => malformed("a NUL character", "remove it; no variable can contain one");
    if (lineText.includes("\0")) throw nulError();
    const content = lineText.trimStart();
    if (content === "" || content.startsWith("#")) continue;
    const [assignment, name] = ASSIGNMENT.exec(lineText) ?? [];
    if (assignment === undefined || name === undefined) {
      remark("not of the form NAME=value, ignored");
      continue;
    }
    const start = lineText.slice(assignment.length);
    const read: DotenvValue | undefined = NEEDS_DOTENV.test(start)
      ? readValue(lines, index, start, isOfPulumi)
      : { value: start.trim(), lastLine: index };
    if (read === undefined) {
      const hint = `close it with ${start.trimStart().charAt(0)} at the end of a line, or use another kind of quote`;
      throw malformed("a quote that is never closed", hint);
    }
    const { value, lastLine, quote } = read;
    if (value.includes("\0")) throw nulError();
    if (byName.has(name)) remark("this name was already set above; the last value is used");
    remarksOn(read, start, isFormCertain).forEach(remark);
    // The CLI writes double quotes around every value, so they do not mean that a shell would replace a reference.
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
    assignments.push({ name, first: index, last: lastLine });
    // The next assignment begins behind the value.
    index = lastLine;
  }
  if (unlistedRemarks > 0) {
    remarks.push(`${printable(file)}: ${count(unlistedRemarks, "more remark")} of this kind`);
  }
  const notices = remarks.map((remark): Notice => ({ kind: "remark", text: remark }));
  const variables = [...byName.values()];
  const hasReferences = variables.some(({ reference }) => reference !== undefined);
  return { variables, notices, assignments, ...(hasReferences ? { references: true } : {}) };
}

/** Returns remarks on a value that may not be what its author meant. @param start the text of its line behind `=` */
function remarksOn({ value, quote }: DotenvValue, start: string, isFormCertain: boolean): readonly string[] {
  const remarks: string[] = [];
  // The value is probably a secret that contains a #, not one that a comment follows.
  if (value !== "" && start.trimStart().startsWith(`${value}#`)) {
    remarks.push("the value ends before a #; quote it if the # is part of it");
  }
  if (quote === "`" && !/["'\n]/.test(value)) {
    remarks.push("a backtick is a kind of quote here, and runs no command; for text use '");
  }
  if (!isFormCertain && LETTER_ESCAPE.test(start)) {
    remarks.push("an escape such as \\t is decoded, as pulumi env open writes it; for a backslash use '");
  }
  return remarks;
}

/**
 * The forms that a shell would replace, the certain forms first. In a longer value, a `$` may be part of a password, so that
 * it is reported only in front of a word in capital letters. Hashes of crypt(3) begin with `$` and have several.
 */
const SHELL_FORMS: readonly (readonly [ReferenceForm, RegExp])[] = [
  ["${X}", /(?<![\\$])\$\{[A-Za-z_]\w*(?:[:?+=#%/^,@-][^}]*)?\}/],
  ["$(…)", /^\$\(.+\)$/],
  ["$X", /^\$[A-Za-z_]\w*$/],
  ["`…`", /^`[^`]+`$/],
  ["$(…) in text", /(?<![\\$])\$\([A-Za-z_./~][^)]*\)/],
  ["$X in text", /(?<![\\$\w])\$[A-Z_][A-Z\d_]+(?![\w$])/],
];

/** Finds a reference in a value. In single quotes, and in backticks, the author meant the text as it stands. */
function referenceIn(value: string, quote: string | undefined): ReferenceForm | undefined {
  const scheme = schemeOf(value);
  if (scheme !== undefined || quote === "'" || quote === "`" || !/[$`]/.test(value)) return scheme;
  return SHELL_FORMS.find(([, form]) => form.test(value))?.[0];
}
