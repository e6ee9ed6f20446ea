/**
 * Makes a unified diff of one block of lines (POSIX `diff -u`), as one hunk. Pure.
 *
 *     @@ -12,4 +12,4 @@
 *      schema:
 *     -  minLength: 8
 *     +  minLength: 12
 */

/** A part of a file. */
interface Block {
  /** Without line ends; none for a block that does not exist. */
  readonly lines: readonly string[];
  /** The number of the first line in its file, from 1. */
  readonly line: number;
}

/** The number of unchanged lines that are shown on each side of the change. */
const CONTEXT_LINES = 3;

/** Returns the difference of two states of a block; nothing if they are equal. Lines outside of the block do not appear. */
export function blockDiff(before: Block, after: Block): readonly string[] {
  const { start, oldEnd, newEnd } = findChange(before.lines, after.lines);
  if (start === oldEnd && start === newEnd) return [];
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

/** Finds the lines after the common beginning and before the common end. The ends are exclusive. */
function findChange(
  before: readonly string[],
  after: readonly string[],
): { readonly start: number; readonly oldEnd: number; readonly newEnd: number } {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let oldEnd = before.length;
  let newEnd = after.length;
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  return { start, oldEnd, newEnd };
}

/** Formats `LINE,LENGTH`. An empty range names the line before it. */
function formatRange({ line }: Block, start: number, end: number): string {
  const length = end - start;
  const firstLine = line + start;
  return `${length === 0 ? firstLine - 1 : firstLine},${length}`;
}
