/** A unified diff of one block of lines. Pure. */

interface Block {
  /** Without line ends; none for a block that does not exist. */
  readonly lines: readonly string[];
  /** The number of the first line in its file, from 1. */
  readonly line: number;
}

/** Lines that show what changes around them. */
const CONTEXT = 3;

/**
 * Returns the difference of two states of a block as hunks of a unified diff (POSIX diff -u). Lines outside of the block do not
 * appear, so that no value beside it is shown.
 */
export function blockDiff(before: Block, after: Block): readonly string[] {
  const { start, oldEnd, newEnd } = changedPart(before.lines, after.lines);
  if (start === oldEnd && start === newEnd) return [];
  const from = Math.max(0, start - CONTEXT);
  const oldTo = Math.min(before.lines.length, oldEnd + CONTEXT);
  const newTo = newEnd + (oldTo - oldEnd);
  return [
    `@@ -${rangeOf(before, from, oldTo)} +${rangeOf(after, from, newTo)} @@`,
    ...before.lines.slice(from, start).map((line) => ` ${line}`),
    ...before.lines.slice(start, oldEnd).map((line) => `-${line}`),
    ...after.lines.slice(start, newEnd).map((line) => `+${line}`),
    ...before.lines.slice(oldEnd, oldTo).map((line) => ` ${line}`),
  ];
}

/** Returns the lines behind the common beginning and before the common end. */
function changedPart(
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

/** An empty range names the line before it. */
function rangeOf({ line }: Block, from: number, to: number): string {
  const length = to - from;
  return `${length === 0 ? line + from - 1 : line + from},${length}`;
}
