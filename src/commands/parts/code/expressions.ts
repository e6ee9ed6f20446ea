/**
 * Parses expressions of JavaScript and Python as far as the readers of source code need it: the extent of an expression, chains of
 * calls, lists and literals. The parsers never throw, since the code may be incomplete or wrong.
 */

/** One step of a chain of names and calls. `z.string().min(1)` has the steps `z`, `string` and `min`. */
export interface ChainStep {
  readonly name: string;
  /** The text between the brackets of the call: empty for `string()`. Undefined for a name that is not called, such as `z`. */
  readonly argumentText: string | undefined;
}

/** The name of a step with the dot before it. Line comments may stand between two steps. */
const STEP_NAME = /\s*(?:\/\/[^\n]*\n\s*)*(?:\?\.|\.)?\s*([A-Za-z_$][\w$]*)/y;
/** The types in angle brackets of a call such as `get<string>()`. */
const TYPE_ARGUMENTS = /^<[^<>()]{0,200}>(?=\()/;
const MAX_TYPE_ARGUMENTS_LENGTH = 210;
/** Chains of real code are shorter. */
const MAX_STEPS = 40;
/** The rest of a string after its opening quote. A string that does not end reaches to the end of the text. */
const STRING_REST: Readonly<Record<string, RegExp>> = {
  '"': /(?:\\[^]|[^"\\])*"?/y,
  "'": /(?:\\[^]|[^'\\])*'?/y,
  "`": /(?:\\[^]|[^`\\])*`?/y,
};
const CLOSING_BRACKETS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/**
 * Parses the chain of names and calls at the beginning of an expression, at most 40 steps. Of this one it returns all steps up to
 * `optional()`:
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
    const argumentText = isCall ? parseBracketContent(expression, position) : undefined;
    steps.push({ name, argumentText });
    if (argumentText !== undefined) position += argumentText.length + "()".length;
  }
  return steps;
}

/**
 * Returns the text between an opening bracket and the bracket that closes it; the rest of the text if no bracket closes it.
 *
 * @param openingOffset the offset of the opening bracket
 */
export function parseBracketContent(text: string, openingOffset: number): string {
  const closingBracket = CLOSING_BRACKETS[text.charAt(openingOffset)] ?? ")";
  return text.slice(openingOffset + 1, findOutsideBrackets(text, openingOffset + 1, closingBracket));
}

/** Splits a list such as `"a", f(1, 2)` at its commas outside of brackets and strings, and leaves out empty items. */
export function splitList(list: string, separator = ","): readonly string[] {
  const items: string[] = [];
  for (let start = 0; start < list.length;) {
    const end = findOutsideBrackets(list, start, separator);
    items.push(list.slice(start, end).trim());
    start = end + 1;
  }
  return items.filter((item) => item !== "");
}

/**
 * Returns the offset of a character outside of all brackets and strings that begin at or after `start`. Returns the length of the
 * text if the character is not found, or if a bracket closes that was opened before `start`.
 */
function findOutsideBrackets(text: string, start: number, wanted: string): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text.charAt(index);
    if (depth === 0 && character === wanted) return index;
    const stringRest = STRING_REST[character];
    if (stringRest !== undefined) {
      stringRest.lastIndex = index + 1;
      // The pattern always matches. The search goes on after the closing quote.
      stringRest.test(text);
      index = stringRest.lastIndex - 1;
    } else if (character in CLOSING_BRACKETS) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0) return text.length;
  }
  return text.length;
}

/** Runs of characters that neither begin nor end anything. `parseExpression` skips each run in one step, which is faster. */
const PLAIN_TEXT = /[\w \t]{1,2000}/y;
const PLAIN_TEXT_IN_BRACKETS = /[^"'`()[\]{}]{1,2000}/y;
const PLAIN_TEXT_IN_STRING = /[^"'`\\]{1,2000}/y;
const MAX_EXPRESSION_LENGTH = 2000;
/** The beginning of a line that continues the expression of the line before: `.min(1)`, `| None`, `? a : b`. */
const CONTINUATION = /^\s*[.|?]/;

/**
 * Returns the expression that begins at an offset, at most 2000 characters of it. The expression ends
 * - at one of the terminators or at a closing bracket, outside of the brackets and strings of the expression;
 * - at a line break, unless the next line continues the expression.
 *
 * Regular expressions in the code are not recognized.
 *
 * @param terminators the characters that end the expression
 */
export function parseExpression(text: string, start: number, { terminators = ",;" } = {}): string {
  let depth = 0;
  /** The opening quote of the string that the loop is in; empty outside of strings. */
  let quote = "";
  const limit = Math.min(text.length, start + MAX_EXPRESSION_LENGTH);
  for (let index = start; index < limit; index++) {
    const plainText = selectPlainTextPattern(quote, depth);
    plainText.lastIndex = index;
    if (plainText.test(text)) index = plainText.lastIndex;
    if (index >= limit) break;
    const character = text.charAt(index);
    if (quote !== "") {
      // A backslash escapes the next character.
      if (character === "\\") index += 1;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'" || character === "`") quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) {
      depth -= 1;
      // This bracket was opened before the expression began.
      if (depth < 0) return text.slice(start, index);
    } else if (depth > 0) continue;
    else if (terminators.includes(character)) return text.slice(start, index);
    else if (character === "\n" && !CONTINUATION.test(text.slice(index, index + 200))) return text.slice(start, index);
  }
  return text.slice(start, limit);
}

/** @param quote the opening quote of the string around the text; empty outside of strings @param depth the number of open brackets */
function selectPlainTextPattern(quote: string, depth: number): RegExp {
  if (quote !== "") return PLAIN_TEXT_IN_STRING;
  return depth > 0 ? PLAIN_TEXT_IN_BRACKETS : PLAIN_TEXT;
}

/** Parses a literal such as `"a"`. Returns undefined for anything else, also for a string with an escape or with `$`. */
export function parseString(literal: string): string | undefined {
  const [, , content] = /^\s*(["'`])((?:(?!\1)[^\\$])*)\1\s*$/.exec(literal) ?? [];
  return content;
}

/** Parses string literals. Returns undefined if an item is anything else. */
export function parseStrings(items: readonly string[]): readonly string[] | undefined {
  const strings = items.map(parseString).filter((string) => string !== undefined);
  return strings.length === items.length ? strings : undefined;
}

/** Parses a list such as `["a", "b"] as const`. Returns undefined if it is empty, or if an item is not a string literal. */
export function parseStringList(list: string): readonly string[] | undefined {
  const opening = /^\s*\[/.exec(list);
  if (opening === null) return undefined;
  const items = splitList(parseBracketContent(list, opening[0].length - 1));
  return items.length === 0 ? undefined : parseStrings(items);
}

/** Parses the number at the beginning of a list of arguments, such as `65_535` or `-1`. Returns undefined for anything else. */
export function parseNumber(argumentText: string | undefined): number | undefined {
  const literal = splitList(argumentText ?? "")[0] ?? "";
  return /^-?\d[\d_]{0,15}(?:\.\d{1,15})?$/.test(literal) ? Number(literal.replaceAll("_", "")) : undefined;
}
