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
  const pieces: string[] = [];
  let start = 0;
  for (;;) {
    const open = json.indexOf('"', start);
    const outside = open === -1 ? json.slice(start) : json.slice(start, open);
    pieces.push(outside.replaceAll(/-?\d[\d.eE+-]*/g, number));
    if (open === -1) break;
    start = endOfString(json, open);
    pieces.push(json.slice(open, start));
  }
  return { json: pieces.join(""), texts };
}

/** The index after the closing quote of the string that opens at `open`. */
function endOfString(json: string, open: number): number {
  for (let from = open + 1; ;) {
    const quote = json.indexOf('"', from);
    if (quote === -1) return json.length;
    let backslash = quote;
    while (json.charCodeAt(backslash - 1) === BACKSLASH) backslash -= 1;
    if ((quote - backslash) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

const BACKSLASH = 0x5c;
