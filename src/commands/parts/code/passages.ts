/**
 * Finds the passages of source code in which no variable is read: block comments, and strings of Python. code-files.ts ignores the
 * reads that the readers of the languages find there.
 */

/** Ranges of offsets in a text, in ascending order, without overlaps. `end` is the offset after the passage. */
export type Passages = readonly (readonly [start: number, end: number])[];

/** The rest of a string of one line after its opening quote. */
const STRING_REST: Readonly<Record<string, RegExp>> = { '"': /(?:\\.|[^"\\\n])*"/y, "'": /(?:\\.|[^'\\\n])*'/y };

/** Finds the block comments of JavaScript, Go and similar languages, outside of strings and line comments. */
export function findBlockComments(text: string): Passages {
  const passages: [number, number][] = [];
  const findStringEnd = createStringEndFinder(text);
  // The beginning of a string, a line comment or a block comment. The apostrophe in a word, as in the text of a web page, begins no
  // string. A block comment follows a space, a bracket or a punctuation mark, since the glob `${folder}/*.ts` begins none.
  const token = /"|(?<!\w)'|\/\/|(?<![^\s{()[\],;>])\/\*/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: opening } = match;
    if (opening === "/*") {
      const end = text.indexOf("*/", index + 2);
      // The comment does not end, so the rest of the text is in it.
      if (end === -1) break;
      passages.push([index, end]);
      token.lastIndex = end + 2;
    } else token.lastIndex = opening === "//" ? findLineEnd(text, index) : findStringEnd(index, opening);
  }
  return passages;
}

/** Finds the strings of Python, which are documentation or messages. Formatted strings are left out, since they contain code. */
export function findPythonStrings(text: string): Passages {
  const passages: [number, number][] = [];
  const findStringEnd = createStringEndFinder(text);
  const token = /#|"""|'''|["']/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { index, 0: opening } = match;
    if (opening === "#") {
      token.lastIndex = findLineEnd(text, index);
      continue;
    }
    const isTripleQuoted = opening.length === 3;
    const closing = isTripleQuoted ? text.indexOf(opening, index + 3) : -1;
    if (isTripleQuoted && closing === -1) break;
    const end = isTripleQuoted ? closing + 3 : findStringEnd(index, opening);
    // The prefix before the quote is `f` or `t`, also together with `r`.
    const isFormatted = /\b(?:[ft]r?|r[ft])$/i.test(text.slice(Math.max(0, index - 3), index));
    if (!isFormatted) passages.push([index, end]);
    token.lastIndex = end;
  }
  return passages;
}

/**
 * Creates a function that returns the end of the string that begins with a quote at an offset. If the quote is not closed in its
 * line, as in the text of a web page, it begins no string, and the function returns the offset after the quote. Callers must pass
 * ascending offsets.
 */
function createStringEndFinder(text: string): (offset: number, quote: string) => number {
  // In the line that ends here no quote is closed. Without this variable, a line of many quotes would take quadratic time.
  let unclosedLineEnd = 0;
  return (offset, quote) => {
    const stringRest = STRING_REST[quote];
    if (offset < unclosedLineEnd || stringRest === undefined) return offset + 1;
    stringRest.lastIndex = offset + 1;
    if (stringRest.test(text)) return stringRest.lastIndex;
    unclosedLineEnd = findLineEnd(text, offset);
    return offset + 1;
  };
}

function findLineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end;
}

/** Creates a function that returns true if an offset lies in one of the passages. */
export function createPassageTest(passages: Passages): (offset: number) => boolean {
  return (offset) => {
    // A binary search for the first passage that ends after the offset.
    let [low, high] = [0, passages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((passages[middle]?.[1] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const passage = passages[low];
    return passage !== undefined && passage[0] < offset;
  };
}
