/** Finds the passages of code in which no variable is read: block comments, and strings of Python; pure. */

/** Ranges of offsets in a text, in ascending order. No two of them overlap. */
export type Passages = readonly (readonly [start: number, end: number])[];

/** The rest of a string of one line after its opening quote. */
const STRING_REST: Readonly<Record<string, RegExp>> = { '"': /(?:\\.|[^"\\\n])*"/y, "'": /(?:\\.|[^'\\\n])*'/y };

/**
 * Finds the block comments of JavaScript, Go and similar languages. A comment must follow a space, a bracket or a punctuation
 * mark: the glob `${folder}/*.ts` begins none.
 */
export function blockComments(text: string): Passages {
  const passages: [number, number][] = [];
  const endOfString = createStringEndFinder(text);
  // The apostrophe of a word, as in the text of a web page, begins no string.
  const token = /"|(?<!\w)'|\/\/|(?<![^\s{()[\],;>])\/\*/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: opening } = match;
    if (opening === "/*") {
      const end = text.indexOf("*/", index + 2);
      // Nothing can follow a comment that does not end.
      if (end === -1) break;
      passages.push([index, end]);
      token.lastIndex = end + 2;
    } else token.lastIndex = opening === "//" ? lineEnd(text, index) : endOfString(index, opening);
  }
  return passages;
}

/** Finds the strings of Python: they are documentation or messages. Formatted strings are not among them, since they contain code. */
export function pythonStrings(text: string): Passages {
  const passages: [number, number][] = [];
  const endOfString = createStringEndFinder(text);
  const token = /#|"""|'''|["']/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: opening } = match;
    if (opening === "#") {
      token.lastIndex = lineEnd(text, index);
      continue;
    }
    const isTripleQuoted = opening.length === 3;
    const closing = isTripleQuoted ? text.indexOf(opening, index + 3) : -1;
    if (isTripleQuoted && closing === -1) break;
    const end = isTripleQuoted ? closing + 3 : endOfString(index, opening);
    const isFormatted = /\b(?:[ft]r?|r[ft])$/i.test(text.slice(Math.max(0, index - 3), index));
    if (!isFormatted) passages.push([index, end]);
    token.lastIndex = end;
  }
  return passages;
}

/**
 * Creates a function that returns where the string ends that begins with a quote at an offset. A quote that is not closed in
 * its line begins no string, as in the text of a web page: then the function returns the offset after the quote. The function
 * must be called with ascending offsets.
 */
function createStringEndFinder(text: string): (offset: number, quote: string) => number {
  /** Up to here no quote is closed. Without this, a line of many quotes would take quadratic time. */
  let unclosedUntil = 0;
  return (offset, quote) => {
    const stringRest = STRING_REST[quote];
    if (offset < unclosedUntil || stringRest === undefined) return offset + 1;
    stringRest.lastIndex = offset + 1;
    if (stringRest.test(text)) return stringRest.lastIndex;
    unclosedUntil = lineEnd(text, offset);
    return offset + 1;
  };
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end;
}

/** Creates a function that returns true if an offset lies in one of the passages. */
export function passageFinder(passages: Passages): (offset: number) => boolean {
  return (offset) => {
    // A binary search for the first passage that ends after the offset.
    let [low, high] = [0, passages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((passages[middle]?.[1] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const [start] = passages[low] ?? [Infinity];
    return start < offset;
  };
}
