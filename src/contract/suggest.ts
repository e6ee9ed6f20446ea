/** 'Did you mean': the nearest of some names; pure. */

/** The nearest of some names to a wanted one, where it is near enough to be a slip of the pen. */
export type NameFinder = (wanted: string) => string | undefined;

/** The one of the names that may have been meant; see `nameFinder`. */
export function suggest(wanted: string, names: Iterable<string>): string | undefined {
  return nameFinder(names)(wanted);
}

/** The suggestion to add to a message, `: did you mean "…"?`; empty where no name is near. */
export function didYouMean(wanted: string, names: Iterable<string>): string {
  const meant = suggest(wanted, names);
  return meant === undefined ? "" : `: did you mean ${JSON.stringify(meant)}?`;
}

/**
 * Makes names ready to be searched again and again. Case does not count; one edit is a letter too many, missing,
 * replaced or swapped with its neighbour; one is allowed for each five letters, three at most. Few names are
 * compared letter by letter: the others are told apart by their lengths and by which letters they have at all.
 */
export function nameFinder(names: Iterable<string>): NameFinder {
  const byLength = new Map<number, Candidate[]>();
  for (const name of names) {
    const upper = name.toUpperCase();
    const bucket = byLength.get(upper.length);
    const candidate = { name, upper, letters: lettersOf(upper) };
    if (bucket === undefined) byLength.set(upper.length, [candidate]);
    else bucket.push(candidate);
  }
  const budget = { comparisons: mostComparisons };
  return (wanted) => find(wanted, byLength, budget);
}

interface Candidate {
  readonly name: string;
  readonly upper: string;
  /** One bit for each letter, digit and other character that occurs. */
  readonly letters: number;
}

const longestCompared = 256;

/**
 * How many names one finder compares letter by letter, all searches together. Thousands of names that resemble each
 * other would take seconds otherwise, and nobody reads so many suggestions.
 */
const mostComparisons = 20_000;

function find(
  wanted: string,
  byLength: ReadonlyMap<number, readonly Candidate[]>,
  budget: { comparisons: number },
): string | undefined {
  const upper = wanted.toUpperCase();
  if (upper.length < 3 || upper.length > longestCompared) return undefined;
  let limit = Math.min(3, Math.max(1, Math.floor(upper.length / 5)));
  const letters = lettersOf(upper);
  let best: string | undefined;
  for (const length of nearLengths(upper.length, limit)) {
    for (const candidate of byLength.get(length) ?? []) {
      if (candidate.name === wanted) continue;
      // One edit changes at most two bits: a letter goes, another comes.
      if (bits(candidate.letters ^ letters) > 2 * limit) continue;
      budget.comparisons -= 1;
      if (budget.comparisons < 0) return best;
      const distance = editDistance(upper, candidate.upper, limit);
      if (distance > limit) continue;
      best = candidate.name;
      if (distance <= 1) return best;
      limit = distance - 1;
    }
  }
  return best;
}

/** The length itself, then those that differ by one, by two and so on. */
function nearLengths(length: number, limit: number): readonly number[] {
  const lengths = [length];
  for (let difference = 1; difference <= limit; difference++) lengths.push(length - difference, length + difference);
  return lengths;
}

function lettersOf(upper: string): number {
  let letters = 0;
  for (let index = 0; index < upper.length; index++) {
    const code = upper.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) letters |= 1 << (code - 0x41);
    else if (code >= 0x30 && code <= 0x39) letters |= 1 << (26 + (code % 4));
    else letters |= 1 << 30;
  }
  return letters;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** How many edits turn one text into the other; `limit + 1` when it takes more than `limit`. */
function editDistance(one: string, other: string, limit: number): number {
  const [a, b] = withoutSharedEnds(one, other);
  if (a === "" || b === "") return Math.min(a.length + b.length, limit + 1);
  let beforePrevious = new Uint16Array(b.length + 1);
  let previous = Uint16Array.from({ length: b.length + 1 }, (_, j) => j);
  let row = new Uint16Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charAt(i - 1) === b.charAt(j - 1);
      let value = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a.charAt(i - 1) === b.charAt(j - 2) && a.charAt(i - 2) === b.charAt(j - 1);
      if (swapped) value = Math.min(value, at(beforePrevious, j - 2) + 1);
      row[j] = value;
      least = Math.min(least, value);
    }
    // A swap reaches back two rows, so one row beyond the limit is no end yet.
    if (least > limit + 1) return limit + 1;
    [beforePrevious, previous, row] = [previous, row, beforePrevious];
  }
  return Math.min(at(previous, b.length), limit + 1);
}

/** What two texts have in common at their ends takes no edit. */
function withoutSharedEnds(a: string, b: string): readonly [string, string] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a.charAt(start) === b.charAt(start)) start += 1;
  let end = 0;
  while (end < shorter - start && a.charAt(a.length - 1 - end) === b.charAt(b.length - 1 - end)) end += 1;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

function at(row: Uint16Array, index: number): number {
  return row[index] ?? Infinity;
}
