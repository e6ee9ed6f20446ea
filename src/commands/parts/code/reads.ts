/**
 * The result type of the readers of source code, and their searches by regular expressions. `init` and `check --code` search a
 * project for the environment variables that its code reads. Each language has its reader in a file of its own, such as
 * go-reads.ts, and code-files.ts chooses the reader for a file.
 *
 * The code may be of any author. code-files.ts limits the size of a file; searches within a search have limits of their own.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";

/** One place where code reads an environment variable, such as `process.env.PORT`. */
export interface VariableRead {
  /** The name of the variable. */
  readonly name: string;
  /** True if the code fails when the variable is not set. */
  readonly isRequired: boolean;
  /** The position at which the read begins, in UTF-16 code units from the beginning of the file. */
  readonly offset: number;
  /** True if the code here has no fallback for the variable, and does not test here whether the variable is set. */
  readonly isUntested?: boolean;
  /** True if a schema or a settings class declares that the variable may be missing. */
  readonly isOptional?: boolean;
  /** The format that the variable's type in the code gives to its value. */
  readonly format?: FormatEntry | undefined;
  /** Other names under which the code reads the same variable. */
  readonly aliases?: readonly string[];
}

export type VariableReads = readonly VariableRead[];

/** Returns a read for each match of a global pattern, whose first or second group captures the name of the variable. */
export function findReadsByPattern(text: string, pattern: RegExp, options: { isRequired: boolean }): VariableReads {
  return Array.from(text.matchAll(pattern), ({ 1: name, 2: alternativeName = "", index }) => {
    return { name: name ?? alternativeName, isRequired: options.isRequired, offset: index };
  });
}

/** Returns what the first group of a global pattern captures, for each match. */
export function findCaptures(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, captured = ""]) => captured);
}

/** Far more than any real file has. A file that was made to have millions of matches would take minutes. */
const MAX_MATCHES = 5000;

/** Returns the matches of a global pattern that `isWanted` accepts, at most 5000 of them. */
export function findMatches(
  text: string,
  pattern: RegExp,
  isWanted: (matchedText: string) => boolean = () => true,
): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  for (const match of text.matchAll(pattern)) {
    if (!isWanted(match[0])) continue;
    matches.push(match);
    if (matches.length === MAX_MATCHES) break;
  }
  return matches;
}

/** How many characters of the code around a match are searched for a test of the matched value. */
const MAX_LENGTH_BEFORE = 120;
const MAX_LENGTH_AFTER = 400;

/** Returns the code directly before and after a match, as far as a test of the matched value may be there. */
export function sliceCodeAround(
  text: string,
  match: RegExpExecArray,
  maxLengthBefore = MAX_LENGTH_BEFORE,
): { readonly before: string; readonly after: string } {
  const start = match.index;
  const end = start + match[0].length;
  return {
    before: text.slice(Math.max(0, start - maxLengthBefore), start),
    after: text.slice(end, end + MAX_LENGTH_AFTER),
  };
}

/**
 * Maps the name of a local variable to the environment variables that are assigned to it anywhere in the file. Scopes are
 * ignored, so one name may stand for several environment variables.
 */
export type LocalVariables = Map<string, Set<string>>;

/** Adds the environment variable that is assigned to a local variable. */
export function addLocalVariable(locals: LocalVariables, localName: string, variable: string): void {
  locals.set(localName, (locals.get(localName) ?? new Set()).add(variable));
}

/** How a language writes local variables, and how it tests whether one has a value. */
export interface LocalSyntax {
  /** Matches each word that may be a local variable, such as `self.port`. */
  readonly pattern: RegExp;
  /** Returns the name of the local variable that the pattern matched: `port` for `self.port`. */
  readonly nameOf: (word: string) => string;
  /** Returns true if the code before or after the word tests whether the local variable has a value. */
  readonly isTested: (before: string, after: string) => boolean;
}

/** Returns the environment variables that the file tests anywhere through a local variable: `url = os.getenv("URL")`, `if url:`. */
export function findTestedVariables(text: string, locals: LocalVariables, syntax: LocalSyntax): ReadonlySet<string> {
  const testedVariables = new Set<string>();
  if (locals.size === 0) return testedVariables;
  // Looking up each word of the file is faster than a pattern of all the names, which would try each name at each character.
  for (const match of findMatches(text, syntax.pattern, (word) => locals.has(syntax.nameOf(word)))) {
    const { before, after } = sliceCodeAround(text, match);
    if (!syntax.isTested(before, after)) continue;
    for (const variable of locals.get(syntax.nameOf(match[0])) ?? []) testedVariables.add(variable);
  }
  return testedVariables;
}

/** The whole file is searched again for each object that holds the environment, so their number has a limit. */
const MAX_OBJECT_NAMES = 10;
/** The regular expression engine throws for a pattern that contains a name of 100,000 characters. */
const MAX_NAME_LENGTH = 255;

/** Returns the first ten names, without those that are too long. @param names the objects through which a file reads variables */
export function limitObjectNames(names: ReadonlySet<string>): readonly string[] {
  return Array.from(names)
    .filter((name) => name.length <= MAX_NAME_LENGTH)
    .slice(0, MAX_OBJECT_NAMES);
}
