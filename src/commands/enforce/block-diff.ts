/**
 * Makes a unified diff of one block of lines (POSIX `diff -u`), as one hunk. `sophia-run enforce` shows with it how the schema in a
 * definition changes. This file has no side effects.
 *
 *     @@ -12,4 +12,4 @@
 *      schema:
 *     -  minLength: 8
 *     +  minLength: 12
 */

/** Consecutive lines of a file. */
interface Block {
  /** The lines without line ends; none for a block that does not exist. */
  readonly lines: readonly string[];
  /** The number of the first line in its file, from 1. */
  readonly firstLine: number;
}

/** The number of unchanged lines that are shown on each side of the change. */
const CONTEXT_LINES = 3;

/** Returns the hunk for two states of a block; nothing if they are equal. Lines outside of the block do not appear. */
export function diffBlocks(before: Block, after: Block): readonly string[] {
  const { start, oldEnd, newEnd } = findChange(before.lines, after.lines);
  const isUnchanged = start === oldEnd && start === newEnd;
  if (isUnchanged) return [];
  const hunkStart = Math.max(0, start - CONTEXT_LINES);
  const oldHunkEnd = Math.min(before.lines.length, oldEnd + CONTEXT_LINES);
  const newHunkEnd = newEnd + (oldHunkEnd - oldEnd);
  return [
    `@@ -${formatRange(before, hunkStart, oldHunkEnd)} +${formatRange(after, hunkStart, newHunkEnd)} @@`,
    ...before.lines.slice(hunkStart, start).map((line) => ` ${line}`),
    ...before.lines.slice(start, oldEnd).map((line) => `-${line}`),
    ...after.lines.slice(start, newEnd).map((line) => `+${line}`),
    ...before.lines.slice(oldEnd, oldHunkEnd).map((line) => ` ${line}`),
  ];
}

/** The range of lines that differ, as indexes. The ends are exclusive. */
interface ChangedRange {
  /** The index of the first line that differs, which is the same before and after the change. */
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

/** Finds the lines after the common beginning and before the common end. */
function findChange(oldLines: readonly string[], newLines: readonly string[]): ChangedRange {
  let start = 0;
  while (start < oldLines.length && start < newLines.length && oldLines[start] === newLines[start]) start += 1;
  let oldEnd = oldLines.length;
  let newEnd = newLines.length;
  while (oldEnd > start && newEnd > start && oldLines[oldEnd - 1] === newLines[newEnd - 1]) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  return { start, oldEnd, newEnd };
}

/** Formats a range of indexes as `LINE,COUNT`. An empty range names the line before it. */
function formatRange({ firstLine }: Block, start: number, end: number): string {
  const lineCount = end - start;
  const lineOfStart = firstLine + start;
  return `${lineCount === 0 ? lineOfStart - 1 : lineOfStart},${lineCount}`;
}
