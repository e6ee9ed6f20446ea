/** Globs for the names of variables (`--include`, `--exclude`), and for those of files; pure. */

/** The spelling by which names are compared on a system that ignores their case. */
export interface CaseFolding {
  readonly fold: (name: string) => string;
}

/** Returns a function that matches names with any of the globs. */
export function createMatcher(globs: readonly string[], folding?: CaseFolding): (name: string) => boolean {
  if (folding === undefined) return (name) => globs.some((glob) => matchesGlob(glob, name));
  const folded = globs.map(folding.fold);
  return (name) => folded.some((glob) => matchesGlob(glob, folding.fold(name)));
}

/** Matches `*` and `?`. Only the last `*` is retried, so that each costs time linear in the length of the name. */
export function matchesGlob(glob: string, name: string): boolean {
  const pattern = Array.from(glob);
  const characters = Array.from(name);
  let at = 0;
  let star = -1;
  let tried = 0;
  for (let index = 0; index < characters.length;) {
    if (pattern[at] === "*") {
      star = at;
      tried = index;
      at += 1;
    } else if (pattern[at] === "?" || (at < pattern.length && pattern[at] === characters[index])) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      at = star + 1;
      tried += 1;
      index = tried;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
