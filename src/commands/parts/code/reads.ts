import type { FormatEntry } from "../../../contract/generated/document.ts";

/** Facts that code states of a variable, besides that it reads it. */
export interface ReadDetails {
  /** It has no fallback for the variable, and does not test whether it is set. */
  readonly isUntested?: boolean;
  /** A schema, or a class of settings, says that it need not be set. */
  readonly isOptional?: boolean;
  /** The format that the type of the variable gives to its value. */
  readonly format?: FormatEntry;
  /** Other names under which the code reads it. */
  readonly aliases?: readonly string[];
}

/** A variable that code reads, whether it fails without it, and where: UTF-16 code units from the beginning of the text. */
export type Read = readonly [name: string, required: boolean, at: number, details?: ReadDetails];
export type Reads = readonly Read[];

/** Returns a read for each match of a pattern; the name is its first group, or its second one. */
export function readsBy(text: string, pattern: RegExp, required: boolean): Reads {
  return Array.from(text.matchAll(pattern), (match): Read => {
    const [, first, second = ""] = match;
    return [first ?? second, required, match.index];
  });
}

export function matchesOf(text: string, pattern: RegExp): readonly string[] {
  return Array.from(text.matchAll(pattern), ([, first = ""]) => first);
}

/** Limits for what a file of another author makes this code look at closely: matches, and characters of an expression. */
const MOST_MATCHES = 5000;
const LONGEST_EXPRESSION = 2000;
/** Names of one file for which the whole file is searched, once for each. */
const MOST_NAMES = 10;

/** Returns the first matches of a pattern with the flag `g`; with `isWanted`, of those that it accepts. */
export function firstMatches(
  text: string,
  pattern: RegExp,
  isWanted: (match: string) => boolean = () => true,
): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  for (const match of text.matchAll(pattern)) {
    if (isWanted(match[0]) && matches.push(match) === MOST_MATCHES) break;
  }
  return matches;
}

/** The variables whose value a local variable of that name has somewhere in the file. */
export type Locals = Map<string, Set<string>>;

export function addLocal(locals: Locals, local: string, variable: string): void {
  locals.set(local, (locals.get(local) ?? new Set()).add(variable));
}

/** The characters around an expression that are searched for a test. */
export const BEFORE = 120;
export const BEHIND = 400;

/** How a language writes a local variable, and what tests its value. */
export interface LocalForm {
  readonly pattern: RegExp;
  readonly nameIn: (word: string) => string;
  readonly isTested: (before: string, after: string) => boolean;
}

/** Returns the variables whose local variables are tested anywhere in the file. */
export function testedIn(text: string, locals: Locals, form: LocalForm): ReadonlySet<string> {
  const tested = new Set<string>();
  if (locals.size === 0) return tested;
  // Each word, since a pattern of all the names would try each of them at each character.
  for (const match of firstMatches(text, form.pattern, (word) => locals.has(form.nameIn(word)))) {
    const before = text.slice(Math.max(0, match.index - BEFORE), match.index);
    const end = match.index + match[0].length;
    if (!form.isTested(before, text.slice(end, end + BEHIND))) continue;
    for (const name of locals.get(form.nameIn(match[0])) ?? []) tested.add(name);
  }
  return tested;
}

/** A pattern with a name of 100,000 characters is too large for the engine, which throws. */
const LONGEST_NAME = 255;

/** Returns the first names that a file gives to an object through which it reads variables. */
export function firstNames(names: ReadonlySet<string>): readonly string[] {
  return Array.from(names)
    .filter((name) => name.length <= LONGEST_NAME)
    .slice(0, MOST_NAMES);
}

/** Characters that neither begin nor end anything, over which a search may go in one step: in brackets, and in a string, more. */
const PLAIN = /[\w \t]{1,2000}/y;
const PLAIN_IN_BRACKETS = /[^"'`()[\]{}]{1,2000}/y;
const PLAIN_IN_STRING = /[^"'`\\]{1,2000}/y;

/**
 * Returns the expression that begins at a position: up to one of the characters in `ends`, or a closing bracket, outside of its
 * own brackets and strings, or to the end of a line unless the next one continues it with a dot. Regular expressions are not
 * recognized.
 */
export function expressionAt(text: string, start: number, ends = ",;"): string {
  let depth = 0;
  let quote = "";
  const end = Math.min(text.length, start + LONGEST_EXPRESSION);
  for (let index = start; index < end; index++) {
    const plain = quote !== "" ? PLAIN_IN_STRING : depth > 0 ? PLAIN_IN_BRACKETS : PLAIN;
    plain.lastIndex = index;
    if (plain.test(text)) index = plain.lastIndex;
    if (index >= end) break;
    const character = text.charAt(index);
    if (quote !== "") {
      if (character === "\\") index += 1;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'" || character === "`") quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) {
      depth -= 1;
      if (depth < 0) return text.slice(start, index);
    } else if (depth > 0) continue;
    else if (ends.includes(character)) return text.slice(start, index);
    else if (character === "\n" && !/^\s*[.|?]/.test(text.slice(index, index + 200))) return text.slice(start, index);
  }
  return text.slice(start, end);
}
