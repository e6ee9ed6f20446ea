/**
 * Parses `.env` files with quotes, references, or lines about which the user gets a remark. plain-syntax.ts parses all others, so that
 * most starts do not load this file:
 *
 *     export NAME="a value # with a comment sign"   # a comment
 *     KEY: 'text on
 *     two lines'
 */
import { SophiaError } from "../../core/error.ts";
import type { Notice, Variable } from "../../core/model.ts";
import { referencePrefixOf, type ReferenceForm } from "../../core/reference-forms.ts";
import { count, printable } from "../../core/text.ts";
import { ASSIGNMENT, linesOf, NEEDS_DOTENV, type ParsedDotenv } from "./plain-syntax.ts";
import { hasProgramEscape, isWrittenByPulumi, LETTER_ESCAPE } from "./pulumi.ts";
import { readValue, type DotenvValue } from "./dotenv-value.ts";

/** The limit on the remarks about a file that are listed. Further ones are only counted. */
const MAX_REMARKS = 20;

/** An assignment, with the indexes of its first and last lines. A quoted value may have several lines. */
interface Assignment {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface ThoroughResult extends ParsedDotenv {
  /** All assignments in their order, also of names that are set again below. */
  readonly assignments: readonly Assignment[];
}

/**
 * Parses a `.env` file with a remark for each line that may not mean what its author meant. dotenv, which parses most
 * values, has no line numbers and silently ignores lines that it does not understand.
 *
 * @throws SophiaError (dotenv, 125) for a quote that is never closed, and for a NUL
 */
export function parseThoroughly(text: string, file: string): ThoroughResult {
  const parser = new ThoroughParser(linesOf(text), file);
  for (let index = 0; index < parser.lines.length; index += 1) index = parser.parseLine(index);
  return parser.result();
}

class ThoroughParser {
  readonly lines: readonly string[];
  readonly #file: string;
  /** True if Pulumi's CLI wrote the file. Its values then have further escapes. */
  readonly #isOfPulumi: boolean;
  /** False if the file has the form of Pulumi's CLI, but may be written by hand, since it has no escape that only a program writes. */
  readonly #isFormCertain: boolean;
  readonly #variables = new Map<string, Variable>();
  readonly #assignments: Assignment[] = [];
  readonly #remarks: string[] = [];
  #unlistedRemarkCount = 0;

  constructor(lines: readonly string[], file: string) {
    this.lines = lines;
    this.#file = file;
    this.#isOfPulumi = isWrittenByPulumi(lines);
    this.#isFormCertain = !this.#isOfPulumi || hasProgramEscape(lines);
  }

  /** Parses the assignment on a line, if there is one. @returns the index of the last line that belongs to it */
  parseLine(index: number): number {
    const line = this.lines[index] ?? "";
    if (line.includes("\0")) throw this.#nulError(index);
    const content = line.trimStart();
    if (content === "" || content.startsWith("#")) return index;
    const [assignment, name] = ASSIGNMENT.exec(line) ?? [];
    if (assignment === undefined || name === undefined) {
      this.#remark(index, "not of the form NAME=value, ignored");
      return index;
    }
    const afterEquals = line.slice(assignment.length);
    const parsedValue = this.#parseValue(index, afterEquals);
    const { value, lastLine } = parsedValue;
    if (value.includes("\0")) throw this.#nulError(index);
    if (this.#variables.has(name)) this.#remark(index, "this name was already set above; the last value is used");
    for (const remark of remarksOn(parsedValue, afterEquals, this.#isFormCertain)) this.#remark(index, remark);
    this.#setVariable(name, parsedValue, index + 1);
    this.#assignments.push({ name, first: index, last: lastLine });
    return lastLine;
  }

  result(): ThoroughResult {
    const remarks = [...this.#remarks];
    if (this.#unlistedRemarkCount > 0) {
      remarks.push(`${printable(this.#file)}: ${count(this.#unlistedRemarkCount, "more remark")} of this kind`);
    }
    const notices = remarks.map((text): Notice => ({ kind: "remark", text }));
    const variables = [...this.#variables.values()];
    const hasReferences = variables.some(({ reference }) => reference !== undefined);
    const references = hasReferences ? { references: true as const } : {};
    return { variables, notices, assignments: this.#assignments, ...references };
  }

  /** @param afterEquals the text of the line after `=` @throws SophiaError (dotenv, 125) for a quote that is never closed */
  #parseValue(index: number, afterEquals: string): DotenvValue {
    if (!NEEDS_DOTENV.test(afterEquals)) return { value: afterEquals.trim(), lastLine: index };
    const parsedValue = readValue(this.lines, index, afterEquals, this.#isOfPulumi);
    if (parsedValue !== undefined) return parsedValue;
    const quote = afterEquals.trimStart().charAt(0);
    const hint = `close it with ${quote} at the end of a line, or use another kind of quote`;
    throw this.#malformedError(index, "a quote that is never closed", hint);
  }

  #setVariable(name: string, { value, quote }: DotenvValue, line: number): void {
    // Pulumi's CLI writes double quotes around every value, so they do not mean that a shell would replace a reference.
    const reference = referenceIn(value, this.#isOfPulumi ? "'" : quote);
    this.#variables.set(name, {
      name,
      value,
      secret: true,
      origin: { source: "dotenv", file: this.#file, line },
      delivery: "value",
      ...(reference === undefined ? {} : { reference }),
    });
  }

  #remark(index: number, text: string): void {
    if (this.#remarks.length < MAX_REMARKS) this.#remarks.push(`${this.#locationOf(index)}: ${text}`);
    else this.#unlistedRemarkCount += 1;
  }

  #nulError(index: number): SophiaError {
    return this.#malformedError(index, "a NUL character", "remove it; no variable can contain one");
  }

  #malformedError(index: number, fault: string, hint: string): SophiaError {
    return new SophiaError({ code: "dotenv", message: `${this.#locationOf(index)} has ${fault}`, hint });
  }

  #locationOf(index: number): string {
    return `${printable(this.#file)}:${index + 1}`;
  }
}

/** Returns remarks on a value that may not be what its author meant. @param afterEquals the text of its line after `=` */
function remarksOn({ value, quote }: DotenvValue, afterEquals: string, isFormCertain: boolean): readonly string[] {
  const remarks: string[] = [];
  // The value is probably a secret that contains a #, not one that a comment follows.
  if (value !== "" && afterEquals.trimStart().startsWith(`${value}#`)) {
    remarks.push("the value ends before a #; quote it if the # is part of it");
  }
  if (quote === "`" && !/["'\n]/.test(value)) {
    remarks.push("a backtick is a kind of quote here, and runs no command; for text use '");
  }
  if (!isFormCertain && LETTER_ESCAPE.test(afterEquals)) {
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

/** Finds a reference in a value. A `$` in single quotes or backticks means nothing to a shell, so the author meant the text itself. */
function referenceIn(value: string, quote: string | undefined): ReferenceForm | undefined {
  const scheme = referencePrefixOf(value);
  if (scheme !== undefined || quote === "'" || quote === "`" || !/[$`]/.test(value)) return scheme;
  return SHELL_FORMS.find(([, form]) => form.test(value))?.[0];
}
