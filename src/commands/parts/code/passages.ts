/** Passages of code in which nothing is read: block comments, and text; pure. */

/** From one position of a text up to another one, in ascending order. */
export type Passages = readonly (readonly [start: number, end: number])[];

/** The rest of a string in one line, behind its quote. */
const STRINGS: Readonly<Record<string, RegExp>> = { '"': /(?:\\.|[^"\\\n])*"/y, "'": /(?:\\.|[^'\\\n])*'/y };

/**
 * Finds the block comments of JavaScript, Go and their like. Each stands behind a blank or a bracket: a glob such as
 * `${folder}/*.ts` begins none.
 */
export function blockComments(text: string): Passages {
  const passages: [number, number][] = [];
  const endOfString = stringEnds(text);
  // Not the apostrophe of a word in a page.
  const token = /"|(?<!\w)'|\/\/|(?<![^\s{()[\],;>])\/\*/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: found } = match;
    if (found === "/*") {
      const end = text.indexOf("*/", index + 2);
      if (end === -1) break;
      passages.push([index, end]);
      token.lastIndex = end + 2;
    } else token.lastIndex = found === "//" ? lineEnd(text, index) : endOfString(index, found);
  }
  return passages;
}

/** Finds the strings of Python, which are documentation or messages, but not those in which expressions stand. */
export function pythonStrings(text: string): Passages {
  const passages: [number, number][] = [];
  const endOfString = stringEnds(text);
  const token = /#|"""|'''|["']/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: found } = match;
    if (found === "#") {
      token.lastIndex = lineEnd(text, index);
      continue;
    }
    const close = found.length === 3 ? text.indexOf(found, index + 3) : undefined;
    if (close === -1) break;
    const end = close === undefined ? endOfString(index, found) : close + 3;
    const isFormatted = /\b(?:[ft]r?|r[ft])$/i.test(text.slice(Math.max(0, index - 3), index));
    if (!isFormatted) passages.push([index, end]);
    token.lastIndex = end;
  }
  return passages;
}

/** Returns a finder of the end of a string. A quote without another one in its line begins none, as in the text of a page. */
function stringEnds(text: string): (at: number, quote: string) => number {
  /** Up to here there is no string in the line. */
  let none = 0;
  return (at, quote) => {
    const rest = STRINGS[quote];
    if (at < none || rest === undefined) return at + 1;
    rest.lastIndex = at + 1;
    if (rest.test(text)) return rest.lastIndex;
    none = lineEnd(text, at);
    return at + 1;
  };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

/** Returns a function that says if a position lies in a passage. */
export function passageFinder(passages: Passages): (at: number) => boolean {
  return (at) => {
    let [low, high] = [0, passages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((passages[middle]?.[1] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const [start] = passages[low] ?? [Infinity];
    return start < at;
  };
}
