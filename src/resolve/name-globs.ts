/**
 * Matches names with globs: those of variables (`--include 'AWS_*'`, `--exclude`), and those of files. `*` stands for any number
 * of characters, `?` for one.
 */

/** How names are compared on a system that ignores their case. */
export interface CaseFolding {
  /** Returns the spelling that all spellings of a name share. */
  readonly fold: (name: string) => string;
}

/** Returns a function that returns true for names that match at least one of the globs. */
export function createMatcher(globs: readonly string[], folding?: CaseFolding): (name: string) => boolean {
  if (folding === undefined) return (name) => globs.some((glob) => matchesGlob(glob, name));
  const folded = globs.map(folding.fold);
  return (name) => folded.some((glob) => matchesGlob(glob, folding.fold(name)));
}

/**
 * Returns true if the whole name matches the glob. If the rest of the name does not match, the last `*` takes one character more
 * and the rest is tried again. Earlier ones need no retry, so that the time for each `*` is linear in the length of the name.
 */
export function matchesGlob(glob: string, name: string): boolean {
  const pattern = Array.from(glob);
  const characters = Array.from(name);
  let patternIndex = 0;
  let lastStarIndex = -1;
  /** The first character that the last `*` does not take. */
  let afterStar = 0;
  for (let index = 0; index < characters.length;) {
    const symbol = pattern[patternIndex];
    if (symbol === "*") {
      lastStarIndex = patternIndex;
      afterStar = index;
      patternIndex += 1;
    } else if (symbol === "?" || (symbol !== undefined && symbol === characters[index])) {
      patternIndex += 1;
      index += 1;
    } else if (lastStarIndex !== -1) {
      patternIndex = lastStarIndex + 1;
      afterStar += 1;
      index = afterStar;
    } else return false;
  }
  while (pattern[patternIndex] === "*") patternIndex += 1;
  return patternIndex === pattern.length;
}
