/**
 * Parses expressions of JavaScript and Python as far as schemas of settings need it: chains of calls, lists and literals. The
 * parsers accept any text, since the code may be incomplete or wrong; pure.
 */

/** One step of a chain of names and calls. `z.string().min(1)` has the steps `z`, `string` and `min`. */
export interface ChainStep {
  readonly name: string;
  /** The text between the brackets of the call: empty for `string()`. Undefined for a name that is not called, such as `z`. */
  readonly argumentText: string | undefined;
}

/** A name of a chain with its dot. Line comments may stand between two steps. */
const STEP_NAME = /\s*(?:\/\/[^\n]*\n\s*)*(?:\?\.|\.)?\s*([A-Za-z_$][\w$]*)/y;
/** The types in angle brackets of a call such as `get<string>()`. */
const TYPE_ARGUMENTS = /^<[^<>()]{0,200}>(?=\()/;
const MAX_TYPE_ARGUMENTS_LENGTH = 210;
const MAX_STEPS = 40;
/** The rest of a string after its opening quote. */
const STRING_REST: Readonly<Record<string, RegExp>> = {
  '"': /(?:\\[^]|[^"\\])*"?/y,
  "'": /(?:\\[^]|[^'\\])*'?/y,
  "`": /(?:\\[^]|[^`\\])*`?/y,
};
const CLOSING_BRACKETS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Parses the names and calls at the beginning of an expression, at most 40 of them:
 *
 *     z.coerce.number().min(1).optional() || 3
 */
export function parseChain(expression: string): readonly ChainStep[] {
  const steps: ChainStep[] = [];
  for (let position = 0; steps.length < MAX_STEPS;) {
    STEP_NAME.lastIndex = position;
    const [matched = "", name] = STEP_NAME.exec(expression) ?? [];
    const isMissingDot = steps.length > 0 && !matched.includes(".");
    if (name === undefined || isMissingDot) return steps;
    position += matched.length;
    const afterName = expression.slice(position, position + MAX_TYPE_ARGUMENTS_LENGTH);
    const [typeArguments = ""] = TYPE_ARGUMENTS.exec(afterName) ?? [];
    position += typeArguments.length;
    const isCall = expression.charAt(position) === "(";
    const argumentText = isCall ? textInBrackets(expression, position) : undefined;
    steps.push({ name, argumentText });
    if (argumentText !== undefined) position += argumentText.length + "()".length;
  }
  return steps;
}

/** Returns the text between the bracket at an offset and the bracket that closes it. Without that one it is the rest of the text. */
export function textInBrackets(text: string, opening: number): string {
  const closing = CLOSING_BRACKETS[text.charAt(opening)] ?? ")";
  return text.slice(opening + 1, findOutside(text, opening + 1, closing));
}

/** Splits a list such as `"a", f(1, 2)` at its commas outside of brackets and strings, and leaves out empty items. */
export function splitList(list: string, separator = ","): readonly string[] {
  const items: string[] = [];
  for (let start = 0; start < list.length;) {
    const end = findOutside(list, start, separator);
    items.push(list.slice(start, end).trim());
    start = end + 1;
  }
  return items.filter((item) => item !== "");
}

/**
 * Returns the offset of a character outside of all brackets and strings that begin at or after `start`. It is the text's
 * length if the character is not found, or if a bracket closes that was opened before `start`.
 */
function findOutside(text: string, start: number, wanted: string): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text.charAt(index);
    if (depth === 0 && character === wanted) return index;
    const stringRest = STRING_REST[character];
    if (stringRest !== undefined) {
      stringRest.lastIndex = index + 1;
      stringRest.test(text);
      index = stringRest.lastIndex - 1;
    } else if (character in CLOSING_BRACKETS) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0) return text.length;
  }
  return text.length;
}

/** Parses a literal such as `"a"`. Returns undefined for anything else, also for a string with an escape or with `$`. */
export function parseString(literal: string): string | undefined {
  const [, , text] = /^\s*(["'`])((?:(?!\1)[^\\$])*)\1\s*$/.exec(literal) ?? [];
  return text;
}

/** Parses a list such as `["a", "b"] as const`. Returns undefined if it is empty, or if an item is not a string literal. */
export function parseStringList(list: string): readonly string[] | undefined {
  const opening = /^\s*\[/.exec(list);
  if (opening === null) return undefined;
  const items = splitList(textInBrackets(list, opening[0].length - 1)).map(parseString);
  const strings = items.filter((item) => item !== undefined);
  return strings.length > 0 && strings.length === items.length ? strings : undefined;
}

/** Parses the number at the beginning of a list of arguments, such as `65_535` or `-1`. Returns undefined for anything else. */
export function parseNumber(argumentText: string | undefined): number | undefined {
  const literal = splitList(argumentText ?? "")[0] ?? "";
  return /^-?\d[\d_]{0,15}(?:\.\d{1,15})?$/.test(literal) ? Number(literal.replaceAll("_", "")) : undefined;
}
