/**
 * Numbers by their text. `JSON.parse` makes `1` of `1.0` and rounds large integers, while a secret must reach the
 * program digit by digit, and Node 20 does not tell a reviver the source text.
 */
export interface NumberedJson {
  /** The same JSON with each number replaced by its index in `texts`. */
  readonly json: string;
  readonly texts: readonly string[];
}

/** Takes the numbers out of a JSON text, in time linear to its length. The text must be valid JSON. */
export function extractNumbers(json: string): NumberedJson {
  const texts: string[] = [];
  const number = (text: string): string => String(texts.push(text) - 1);
  const parts = json.split('"');
  let inString = false;
  for (const [index, part] of parts.entries()) {
    if (inString) inString = endsEscaped(part);
    else {
      if (/\d/.test(part)) parts[index] = part.replaceAll(/-?\d[\d.eE+-]*/g, number);
      inString = true;
    }
  }
  return { json: parts.join('"'), texts };
}

/** Whether the quote after a part of a string belongs to the string: an odd number of backslashes stands before it. */
function endsEscaped(part: string): boolean {
  let start = part.length;
  while (part.charCodeAt(start - 1) === BACKSLASH) start -= 1;
  return (part.length - start) % 2 === 1;
}

const BACKSLASH = 0x5c;

/**
 * Whether every number that is an integer without an exponent or fraction in JavaScript's own notation was written so:
 * nothing in the text, strings included, looks like `1.0` or `1e3`. Then the costlier {@link extractNumbers} is not
 * needed for integers.
 */
export function writesIntegersPlainly(json: string): boolean {
  return !/\d(?:\.0|[eE][-+\d])/.test(json);
}
