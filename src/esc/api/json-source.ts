/**
 * Finds the source text of values in a JSON text. `JSON.parse` makes `1` of `1.0` and rounds large integers, while a
 * secret must reach the program digit by digit, and Node 20 does not tell a reviver the source.
 *
 * All of it takes a text that JSON.parse has accepted, and time linear to its length.
 */

/** Where the values of an object's members begin, by name; of several members of one name the last, as JSON.parse has it. */
export type Members = ReadonlyMap<string, number>;

const NONE: Members = new Map();

/** The members of the object whose text begins at `at`; none where another value or nothing is. */
export function membersAt(json: string, at: number | undefined): Members {
  if (at === undefined || json.charCodeAt(at) !== OPEN_BRACE) return NONE;
  const members = new Map<string, number>();
  let index = skipSpace(json, at + 1);
  while (json.charCodeAt(index) === QUOTE) {
    const keyEnd = skipString(json, index);
    const colon = skipSpace(json, keyEnd);
    const value = skipSpace(json, colon + 1);
    members.set(nameIn(json.slice(index, keyEnd)), value);
    // The comma, or the brace that ends it.
    index = skipSpace(json, skipSpace(json, skipValue(json, value)) + 1);
  }
  return members;
}

/** The start of a text's value. */
export function valueStart(json: string): number {
  return skipSpace(json, 0);
}

/** The source of the value that begins at `at`. */
export function sourceAt(json: string, at: number): string {
  return json.slice(at, skipValue(json, at));
}

function nameIn(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  const name: unknown = JSON.parse(quoted);
  return String(name);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function skipSpace(json: string, at: number): number {
  let index = at;
  while (index < json.length && isSpace(json.charCodeAt(index))) index += 1;
  return index;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The index after the closing quote of the string that opens at `open`. */
function skipString(json: string, open: number): number {
  for (let from = open + 1; ;) {
    const quote = json.indexOf('"', from);
    if (quote === -1) return json.length;
    let backslash = quote;
    while (json.charCodeAt(backslash - 1) === BACKSLASH) backslash -= 1;
    // An odd number of backslashes escapes the quote.
    if ((quote - backslash) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

/** The index after the value that begins at `at`. Not recursive: nesting costs no stack. */
function skipValue(json: string, at: number): number {
  let depth = 0;
  let index = at;
  while (index < json.length) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) {
      index = skipString(json, index);
      if (depth === 0) return index;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      // At depth 0 it ends what a number or a word stands in.
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (code === COMMA || isSpace(code))) return index;
    index += 1;
  }
  return json.length;
}
