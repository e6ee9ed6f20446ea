/**
 * Returns a valid JSON text with strings for numbers, in linear time, so that every digit remains: `JSON.parse` makes `1`
 * of `1.0` and rounds large integers, and Node 20 does not give a reviver the source.
 */
export function withNumbersAsStrings(json: string): string {
  const token = /"|-?\d[\d.eE+-]*/g;
  let text = "";
  let from = 0;
  for (let found = token.exec(json); found !== null; found = token.exec(json)) {
    if (found[0] === '"') token.lastIndex = stringEnd(json, found.index);
    else {
      text += `${json.slice(from, found.index)}"${found[0]}"`;
      from = token.lastIndex;
    }
  }
  return text + json.slice(from);
}

function stringEnd(json: string, open: number): number {
  for (let from = open + 1; ;) {
    const quote = json.indexOf('"', from);
    if (quote === -1) return json.length;
    let backslash = quote;
    while (json[backslash - 1] === "\\") backslash -= 1;
    // An odd number of backslashes escapes the quote.
    if ((quote - backslash) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
