/**
 * Writes regular expressions for ranges of integers, since a schema of ESC cannot compare the text of a number; pure. For
 * the range from 5 to 250:
 *
 *     \+?0*(?:[5-9]|[1-9][0-9]{1}|1[0-9]{2}|2[0-4][0-9]|250)
 *
 * A range is split at the lengths of numbers, and then digit by digit from the left.
 */

/**
 * Returns the expression (of RE2, without anchors) for integers of a range, as formats of contracts read them: with a sign
 * or without, and with any number of leading zeros. A bound that is no integer is replaced by the nearest integer inside
 * the range.
 *
 * @returns undefined if a bound is not a safe integer of JavaScript
 */
export function integerPattern(minimum: number | undefined, maximum: number | undefined): string | undefined {
  const lower = minimum === undefined ? undefined : Math.ceil(minimum);
  const upper = maximum === undefined ? undefined : Math.floor(maximum);
  if ([lower, upper].some((bound) => bound !== undefined && !Number.isSafeInteger(bound))) return undefined;
  const alternatives = [...negativeIntegers(lower, upper), ...otherIntegers(lower, upper)];
  return alternatives.length === 0 ? undefined : alternatives.join("|");
}

/** Returns expressions for the integers of the range from zero upwards. */
function otherIntegers(lower = 0, upper?: number): readonly string[] {
  if (upper !== undefined && (upper < 0 || upper < lower)) return [];
  const digits = unsignedIntegers(Math.max(lower, 0), upper);
  const negativeZero = lower <= 0 ? ["-0+"] : [];
  return [String.raw`\+?0*(?:${digits.join("|")})`, ...negativeZero];
}

function negativeIntegers(lower?: number, upper?: number): readonly string[] {
  if (lower !== undefined && (lower >= 0 || (upper !== undefined && upper < lower))) return [];
  const smallestAmount = upper === undefined || upper >= 0 ? 1 : -upper;
  const largestAmount = lower === undefined ? undefined : -lower;
  return [`-0*(?:${unsignedIntegers(smallestAmount, largestAmount).join("|")})`];
}

/** Returns expressions for the integers of a range in decimal digits, without leading zeros. Zero itself is `0`. */
function unsignedIntegers(lower: number, upper: number | undefined): readonly string[] {
  const from = String(lower);
  const largestOfLength = "9".repeat(from.length);
  if (upper === undefined) {
    const longerNumbers = `[1-9][0-9]{${from.length},}`;
    return [...ofSameLength(from, largestOfLength), longerNumbers];
  }
  const to = String(upper);
  if (from.length === to.length) return ofSameLength(from, to);
  const lengthsBetween = Array.from(
    { length: to.length - from.length - 1 },
    (_, index) => `[1-9][0-9]{${from.length + index}}`,
  );
  const smallestOfLastLength = `1${"0".repeat(to.length - 1)}`;
  return [...ofSameLength(from, largestOfLength), ...lengthsBetween, ...ofSameLength(smallestOfLastLength, to)];
}

/**
 * Returns expressions for the integers between two that have the same number of digits. For the range from 137 to 484 these
 * are:
 *
 *     13[7-9]  1[4-9][0-9]      the end of the hundred in which the range begins
 *     [2-3][0-9]{2}             the hundreds that are in the range completely
 *     4[0-7][0-9]  48[0-4]      the beginning of the hundred in which the range ends
 */
function ofSameLength(from: string, to: string): readonly string[] {
  if (from === to) return [from];
  const shared = commonBeginning(from, to);
  const digitIndex = shared.length;
  const restLength = from.length - digitIndex - 1;
  const [fromDigit, toDigit] = [Number(from[digitIndex]), Number(to[digitIndex])];
  const isFirstComplete = /^0*$/.test(from.slice(digitIndex + 1));
  const isLastComplete = /^9*$/.test(to.slice(digitIndex + 1));
  const firstDigit = isFirstComplete ? fromDigit : fromDigit + 1;
  const lastDigit = isLastComplete ? toDigit : toDigit - 1;
  const beginning = isFirstComplete ? [] : ofSameLength(from, from.slice(0, digitIndex + 1) + "9".repeat(restLength));
  const middle = firstDigit > lastDigit ? [] : [shared + digitRange(firstDigit, lastDigit) + anyDigits(restLength)];
  const end = isLastComplete ? [] : ofSameLength(to.slice(0, digitIndex + 1) + "0".repeat(restLength), to);
  return [...beginning, ...middle, ...end];
}

function digitRange(first: number, last: number): string {
  return first === last ? String(first) : `[${first}-${last}]`;
}

function anyDigits(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "[0-9]" : `[0-9]{${count}}`;
}

/** Returns the beginning that two different texts share. */
function commonBeginning(text: string, otherText: string): string {
  let length = 0;
  while (text[length] === otherText[length]) length += 1;
  return text.slice(0, length);
}
