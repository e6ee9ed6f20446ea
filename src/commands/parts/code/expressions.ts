/** Expressions of JavaScript and Python, as far as schemas of settings need them: chains of calls, lists, and literals; pure. */

/** A name of a chain, and the text between its brackets if it is called. `z.string().min(1)` has three steps. */
export interface ChainStep {
  readonly name: string;
  readonly given: string | undefined;
}

const NAME = /\s*(?:\/\/[^\n]*\n\s*)*(?:\?\.|\.)?\s*([A-Za-z_$][\w$]*)/y;
const MOST_STEPS = 40;
/** The rest of a string, behind its quote. */
const STRINGS: Readonly<Record<string, RegExp>> = {
  '"': /(?:\\[^]|[^"\\])*"?/y,
  "'": /(?:\\[^]|[^'\\])*'?/y,
  "`": /(?:\\[^]|[^`\\])*`?/y,
};
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Returns the names and calls at the beginning of an expression, in their order. Types in angle brackets are ignored. */
export function chainOf(expression: string): readonly ChainStep[] {
  const steps: ChainStep[] = [];
  for (let at = 0; steps.length < MOST_STEPS;) {
    NAME.lastIndex = at;
    const [whole = "", name] = NAME.exec(expression) ?? [];
    // Behind the first name each further one needs its dot.
    if (name === undefined || (steps.length > 0 && !whole.includes("."))) return steps;
    at += whole.length;
    const [types = ""] = /^<[^<>()]{0,200}>(?=\()/.exec(expression.slice(at, at + 210)) ?? [];
    at += types.length;
    const given = expression.charAt(at) === "(" ? between(expression, at) : undefined;
    steps.push({ name, given });
    if (given !== undefined) at += given.length + 2;
  }
  return steps;
}

/** Returns the text between a bracket at a position and the one that closes it, or up to the end. */
export function between(text: string, open: number): string {
  const close = CLOSING[text.charAt(open)] ?? ")";
  return text.slice(open + 1, endOf(text, open + 1, close));
}

/** Splits a list at its commas outside of brackets and strings; empty parts are left out. */
export function partsOf(list: string, separator = ","): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < list.length;) {
    const end = endOf(list, at, separator);
    parts.push(list.slice(at, end).trim());
    at = end + 1;
  }
  return parts.filter((part) => part !== "");
}

/** Returns the position of a character outside of the brackets and strings that begin behind `start`, or the text's end. */
function endOf(text: string, start: number, wanted: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (depth === 0 && character === wanted) return at;
    const rest = STRINGS[character];
    if (rest !== undefined) {
      rest.lastIndex = at + 1;
      rest.test(text);
      at = rest.lastIndex - 1;
    } else if (character in CLOSING) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0) return text.length;
  }
  return text.length;
}

/** Returns the text of a string literal without an expression in it; undefined for anything else. */
export function stringIn(literal: string): string | undefined {
  const [, , text] = /^\s*(["'`])((?:(?!\1)[^\\$])*)\1\s*$/.exec(literal) ?? [];
  return text;
}

/** Returns the texts of a list of string literals such as `["a", "b"] as const`; undefined unless each is one. */
export function stringsIn(list: string): readonly string[] | undefined {
  const open = /^\s*\[/.exec(list);
  if (open === null) return undefined;
  const texts = partsOf(between(list, open[0].length - 1)).map(stringIn);
  const known = texts.filter((text) => text !== undefined);
  return known.length > 0 && known.length === texts.length ? known : undefined;
}

/** Returns the number that a literal has, such as `65_535` or `-1`; undefined for anything else. */
export function numberIn(literal: string | undefined): number | undefined {
  const text = partsOf(literal ?? "")[0] ?? "";
  return /^-?\d[\d_]{0,15}(?:\.\d{1,15})?$/.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}
