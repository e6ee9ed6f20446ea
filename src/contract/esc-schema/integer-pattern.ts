/**
 * Writes regular expressions that match the integers of a range, because a schema of ESC cannot compare a number that
 * is stored as text. For the range from 5 to 250:
 *
 *     \+?0*(?:[5-9]|[1-9][0-9]{1}|1[0-9]{2}|2[0-4][0-9]|250)
 *
 * The range is split into numbers of the same length. Each of these parts is split digit by digit, from the left.
 */

/**
 * Returns the expression (for RE2, without anchors) that matches the integers of a range in all spellings that the
 * format `integer` of contracts accepts: with or without a sign, and with any number of leading zeros.
 *
 * @param minimum undefined if there is none, like the maximum. A bound that is not an integer is rounded to one inside
 *   the range
 * @returns undefined if no integer is in the range, or if a bound is not a safe integer of JavaScript
 */
export function writeIntegerPattern(minimum: number | undefined, maximum: number | undefined): string | undefined {
  const lower = minimum === undefined ? undefined : Math.ceil(minimum);
  const upper = maximum === undefined ? undefined : Math.floor(maximum);
  if ([lower, upper].some((bound) => bound !== undefined && !Number.isSafeInteger(bound))) return undefined;
  const alternatives = [...writeNegativeIntegers(lower, upper), ...writeNonNegativeIntegers(lower, upper)];
  return alternatives.length === 0 ? undefined : alternatives.join("|");
}

/** Returns expressions for the integers of the range that are not negative. An undefined bound is infinite. */
function writeNonNegativeIntegers(lower = 0, upper?: number): readonly string[] {
  if (upper !== undefined && (upper < 0 || upper < lower)) return [];
  const digits = writeUnsignedIntegers(Math.max(lower, 0), upper);
  // The text `-0` is also an integer, and equals 0.
  const negativeZero = lower <= 0 ? ["-0+"] : [];
  return [String.raw`\+?0*(?:${digits.join("|")})`, ...negativeZero];
}

/** Returns expressions for the negative integers of the range. An undefined bound is infinite. */
function writeNegativeIntegers(lower?: number, upper?: number): readonly string[] {
  if (lower !== undefined && (lower >= 0 || (upper !== undefined && upper < lower))) return [];
  const smallestAmount = upper === undefined || upper >= 0 ? 1 : -upper;
  const largestAmount = lower === undefined ? undefined : -lower;
  return [`-0*(?:${writeUnsignedIntegers(smallestAmount, largestAmount).join("|")})`];
}

/** Returns expressions for the integers of a range in decimal digits, without leading zeros. Zero itself is `0`. */
function writeUnsignedIntegers(lower: number, upper: number | undefined): readonly string[] {
  const lowerText = String(lower);
  const largestOfLowerLength = "9".repeat(lowerText.length);
  if (upper === undefined) {
    const longerNumbers = `[1-9][0-9]{${lowerText.length},}`;
    return [...writeIntegersOfSameLength(lowerText, largestOfLowerLength), longerNumbers];
  }
  const upperText = String(upper);
  if (lowerText.length === upperText.length) return writeIntegersOfSameLength(lowerText, upperText);
  const lengthsBetween = Array.from(
    { length: upperText.length - lowerText.length - 1 },
    (_, index) => `[1-9][0-9]{${lowerText.length + index}}`,
  );
  const smallestOfUpperLength = `1${"0".repeat(upperText.length - 1)}`;
  return [
    ...writeIntegersOfSameLength(lowerText, largestOfLowerLength),
    ...lengthsBetween,
    ...writeIntegersOfSameLength(smallestOfUpperLength, upperText),
  ];
}

/**
 * Returns expressions for the integers of a range whose bounds have the same number of digits. For the range from 137
 * to 484 these are:
 *
 *     13[7-9]  1[4-9][0-9]      from 137 to 199
 *     [2-3][0-9]{2}             from 200 to 399, the hundreds that are completely in the range
 *     4[0-7][0-9]  48[0-4]      from 400 to 484
 */
function writeIntegersOfSameLength(lower: string, upper: string): readonly string[] {
  if (lower === upper) return [lower];
  const prefix = commonBeginning(lower, upper);
  // The first digit in which the bounds differ decides: in the example, the hundreds from 1 to 4.
  const digitEnd = prefix.length + 1;
  const restLength = lower.length - digitEnd;
  const lowerDigit = Number(lower[prefix.length]);
  const upperDigit = Number(upper[prefix.length]);
  const isLowerComplete = /^0*$/.test(lower.slice(digitEnd));
  const isUpperComplete = /^9*$/.test(upper.slice(digitEnd));
  const firstComplete = isLowerComplete ? lowerDigit : lowerDigit + 1;
  const lastComplete = isUpperComplete ? upperDigit : upperDigit - 1;
  const complete =
    firstComplete > lastComplete
      ? []
      : [prefix + writeDigitRange(firstComplete, lastComplete) + writeAnyDigits(restLength)];
  const endOfLower = lower.slice(0, digitEnd) + "9".repeat(restLength);
  const beginningOfUpper = upper.slice(0, digitEnd) + "0".repeat(restLength);
  return [
    ...(isLowerComplete ? [] : writeIntegersOfSameLength(lower, endOfLower)),
    ...complete,
    ...(isUpperComplete ? [] : writeIntegersOfSameLength(beginningOfUpper, upper)),
  ];
}

function writeDigitRange(first: number, last: number): string {
  return first === last ? String(first) : `[${first}-${last}]`;
}

function writeAnyDigits(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "[0-9]" : `[0-9]{${count}}`;
}

/** Returns the beginning that two different texts share. */
function commonBeginning(text: string, otherText: string): string {
  let length = 0;
  while (text[length] === otherText[length]) length += 1;
  return text.slice(0, length);
}
