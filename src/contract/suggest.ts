/** 'Did you mean': the nearest of some names; pure. */

/** The present name nearest to the wanted one, when it is near enough to be a slip of the pen. */
export function suggest(wanted: string, names: Iterable<string>): string | undefined {
  const limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 5)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of names) {
    if (name === wanted || Math.abs(name.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted.toUpperCase(), name.toUpperCase(), bestDistance - 1);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions and replacements from one text to the other; `limit + 1` when there are more than `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      row.push(value);
      least = Math.min(least, value);
    }
    if (least > limit) return limit + 1;
    previous = row;
  }
  return Math.min(previous.at(-1) ?? 0, limit + 1);
}
