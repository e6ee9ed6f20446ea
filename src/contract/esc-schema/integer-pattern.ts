/** Regular expressions for ranges of integers. Pure. */

/**
 * Returns the expression (of RE2, without anchors) for integers of a range, as formats of contracts read them: with a sign or not,
 * and with any number of zeros before them. Bounds that are no integers are taken as the next integers inside.
 * @returns undefined if a bound is beyond the integers that a number of JavaScript holds
 */
export function integerPattern(minimum: number | undefined, maximum: number | undefined): string | undefined {
  const least = minimum === undefined ? undefined : Math.ceil(minimum);
  const most = maximum === undefined ? undefined : Math.floor(maximum);
  if ([least, most].some((bound) => bound !== undefined && !Number.isSafeInteger(bound))) return undefined;
  const alternatives = [...negative(least, most), ...positive(least, most)];
  return alternatives.length === 0 ? undefined : alternatives.join("|");
}

function positive(least = 0, most?: number): readonly string[] {
  if (most !== undefined && (most < 0 || most < least)) return [];
  const digits = unsigned(Math.max(least, 0), most);
  // Zero may have either sign.
  const zero = least <= 0 ? ["-0+"] : [];
  return [String.raw`\+?0*(?:${digits.join("|")})`, ...zero];
}

function negative(least?: number, most?: number): readonly string[] {
  if (least !== undefined && (least >= 0 || (most !== undefined && most < least))) return [];
  const nearest = most === undefined || most >= 0 ? 1 : -most;
  return [`-0*(?:${unsigned(nearest, least === undefined ? undefined : -least).join("|")})`];
}

/** Returns expressions for the decimal numbers from `least` to `most` without zeros before them. Zero itself is `0`. */
function unsigned(least: number, most: number | undefined): readonly string[] {
  const from = String(least);
  if (most === undefined) {
    const longer = `[1-9][0-9]{${from.length},}`;
    return [...sameLength(from, "9".repeat(from.length)), longer];
  }
  const to = String(most);
  if (from.length === to.length) return sameLength(from, to);
  const between = Array.from(
    { length: to.length - from.length - 1 },
    (_, index) => `[1-9][0-9]{${from.length + index}}`,
  );
  return [...sameLength(from, "9".repeat(from.length)), ...between, ...sameLength(`1${"0".repeat(to.length - 1)}`, to)];
}

/** Returns expressions for the numbers from `from` to `to`, which have the same number of digits. */
function sameLength(from: string, to: string): readonly string[] {
  if (from === to) return [from];
  const same = commonBeginning(from, to);
  const rest = from.length - same.length - 1;
  const [low, high] = [Number(from[same.length]), Number(to[same.length])];
  const isWholeBelow = /^0*$/.test(from.slice(same.length + 1));
  const isWholeAbove = /^9*$/.test(to.slice(same.length + 1));
  const tail = rest === 0 ? "" : rest === 1 ? "[0-9]" : `[0-9]{${rest}}`;
  const first = isWholeBelow ? low : low + 1;
  const last = isWholeAbove ? high : high - 1;
  const middle = first > last ? [] : [`${same}${first === last ? first : `[${first}-${last}]`}${tail}`];
  const digit = same.length + 1;
  return [
    ...(isWholeBelow ? [] : sameLength(from, from.slice(0, digit) + "9".repeat(rest))),
    ...middle,
    ...(isWholeAbove ? [] : sameLength(to.slice(0, digit) + "0".repeat(rest), to)),
  ];
}

function commonBeginning(one: string, other: string): string {
  let length = 0;
  while (one[length] === other[length]) length += 1;
  return one.slice(0, length);
}
