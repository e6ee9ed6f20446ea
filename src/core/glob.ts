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
