/**
 * Shared by the finders of variable reads: the result type, the limits for code of other authors, and searches around a
 * match. Each language has a finder in a file of its own, such as go-reads.ts; code-files.ts chooses the finder for a file.
 */
import type { FormatEntry } from "../../../contract/generated/document.ts";

/** Facts that the code states about a variable, besides that it reads the variable. */
export interface ReadDetails {
  /** The code has no fallback for the variable here, and does not test here whether it is set. */
  readonly isUntested?: boolean;
  /** A schema or a settings class declares that the variable may be missing. */
  readonly isOptional?: boolean;
  /** The format that the variable's type in the code gives to its value. */
  readonly format?: FormatEntry;
  /** Other names under which the code reads the same variable. */
  readonly aliases?: readonly string[];
}

/**
 * One place where code reads an environment variable, such as `process.env.PORT`. `required` is true if the code fails without
 * the variable. `offset` counts UTF-16 code units from the beginning of the file.
 */
export type VariableRead = readonly [name: string, required: boolean, offset: number, details?: ReadDetails];
export type VariableReads = readonly VariableRead[];

/** Returns a read for each match of a global pattern, whose first or second group is the name of the variable. */
export function readsByPattern(text: string, pattern: RegExp, required: boolean): VariableReads {
  return Array.from(text.matchAll(pattern), (match): VariableRead => {
    const [, name, alternativeName = ""] = match;
    return [name ?? alternativeName, required, match.index];
  });
}

/** Returns the first group of each match of a global pattern. */
export function firstGroups(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, group = ""]) => group);
}

/** The matches of one pattern that are examined in one file, since another author's file may be made to have millions. */
const MAX_MATCHES = 5000;

/** Returns the first matches of a global pattern. With `isWanted`, the limit is for the matches that it accepts. */
export function firstMatches(
  text: string,
  pattern: RegExp,
  isWanted: (match: string) => boolean = () => true,
): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  for (const match of text.matchAll(pattern)) {
    if (!isWanted(match[0])) continue;
    matches.push(match);
    if (matches.length === MAX_MATCHES) break;
  }
  return matches;
}

/** The characters before and after a match that are searched for a test of its value. */
const MAX_BEFORE = 120;
const MAX_AFTER = 400;

/** Returns the code before and after a match, as far as a test of the matched value may stand there. */
export function codeAround(
  text: string,
  match: RegExpExecArray,
  maxBefore = MAX_BEFORE,
): { readonly before: string; readonly after: string } {
  const end = match.index + match[0].length;
  return {
    before: text.slice(Math.max(0, match.index - maxBefore), match.index),
    after: text.slice(end, end + MAX_AFTER),
  };
}

/**
 * Maps the name of a local variable to the environment variables that are assigned to it anywhere in the file. Scopes are
 * ignored, so that one name may stand for several variables.
 */
export type LocalVariables = Map<string, Set<string>>;

export function addLocal(locals: LocalVariables, local: string, variable: string): void {
  locals.set(local, (locals.get(local) ?? new Set()).add(variable));
}

/** How a language writes a local variable, and how it tests whether the variable has a value. */
export interface LocalSyntax {
  /** Matches each word that may be a local variable, such as `self.port`. */
  readonly pattern: RegExp;
  /** Returns the name in such a word: `port` for `self.port`. */
  readonly nameIn: (word: string) => string;
  readonly isTested: (before: string, after: string) => boolean;
}

/** Returns the environment variables that the file tests anywhere by way of a local variable. */
export function findTestedVariables(text: string, locals: LocalVariables, syntax: LocalSyntax): ReadonlySet<string> {
  const tested = new Set<string>();
  if (locals.size === 0) return tested;
  // Every word of the file is looked up. A pattern of all the names would try each of them at each character.
  for (const match of firstMatches(text, syntax.pattern, (word) => locals.has(syntax.nameIn(word)))) {
    const { before, after } = codeAround(text, match);
    if (!syntax.isTested(before, after)) continue;
    for (const variable of locals.get(syntax.nameIn(match[0])) ?? []) tested.add(variable);
  }
  return tested;
}

/** The whole file is searched again for each object that holds the environment, so their number has a limit. */
const MAX_OBJECT_NAMES = 10;
/** The regular expression engine throws for a pattern that contains a name of 100,000 characters. */
const MAX_NAME_LENGTH = 255;

/** Returns the first names that a file gives to objects through which it reads variables, such as `env`. */
export function firstNames(names: ReadonlySet<string>): readonly string[] {
  return Array.from(names)
    .filter((name) => name.length <= MAX_NAME_LENGTH)
    .slice(0, MAX_OBJECT_NAMES);
}

/** Characters that neither begin nor end anything, which a search skips in one step. More are skipped in brackets and strings. */
const PLAIN_TEXT = /[\w \t]{1,2000}/y;
const PLAIN_IN_BRACKETS = /[^"'`()[\]{}]{1,2000}/y;
const PLAIN_IN_STRING = /[^"'`\\]{1,2000}/y;
const MAX_EXPRESSION_LENGTH = 2000;

/**
 * Returns the expression that begins at an offset, at most 2000 characters of it. The expression ends at one of the characters
 * in `ends` or at a closing bracket, outside of its own brackets and strings. A line break ends it, too, unless the next line
 * continues it with `.`, `|` or `?`. Regular expressions in the code are not recognized.
 */
export function expressionAt(text: string, start: number, ends = ",;"): string {
  let depth = 0;
  let quote = "";
  const limit = Math.min(text.length, start + MAX_EXPRESSION_LENGTH);
  for (let index = start; index < limit; index++) {
    const skipped = quote !== "" ? PLAIN_IN_STRING : depth > 0 ? PLAIN_IN_BRACKETS : PLAIN_TEXT;
    skipped.lastIndex = index;
    if (skipped.test(text)) index = skipped.lastIndex;
    if (index >= limit) break;
    const character = text.charAt(index);
    if (quote !== "") {
      if (character === "\\") index += 1;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'" || character === "`") quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) {
      depth -= 1;
      // This bracket was opened before the expression began.
      if (depth < 0) return text.slice(start, index);
    } else if (depth > 0) continue;
    else if (ends.includes(character)) return text.slice(start, index);
    else if (character === "\n" && !/^\s*[.|?]/.test(text.slice(index, index + 200))) return text.slice(start, index);
  }
  return text.slice(start, limit);
}
