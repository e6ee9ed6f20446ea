/**
 * Creates a function that returns the line number, from 1, of an offset in a text, in UTF-16 code units. The text is searched for
 * line breaks only once, so the function may be called for many offsets.
 */
export function createLineNumberFinder(text: string): (offset: number) => number {
  const lineStarts = [0];
  for (let newline = text.indexOf("\n"); newline !== -1; newline = text.indexOf("\n", newline + 1)) {
    lineStarts.push(newline + 1);
  }
  return (offset) => {
    // A binary search for the last line that starts at or before the offset.
    let [low, high] = [0, lineStarts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
