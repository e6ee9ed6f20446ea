/** Finds if the code around an expression has a fallback for its value, or tests if it is set; pure. */

/** How a language tests a value, replaces it, or passes it on. */
export interface TestForm {
  /** An operator behind a value that tests or replaces it. */
  readonly testedBehind: RegExp;
  /** An operator in front of it by which it is not always evaluated, or replaces another value. */
  readonly branchBefore: RegExp;
  /** Returns true if the code in front of a value tests it. */
  readonly isTestedBefore: (before: string) => boolean;
  /** Code in front of a value that passes it on, even if it is not set. */
  readonly passedOnBefore: RegExp;
  /** A member of the value, or a call of it, which fails without one. */
  readonly usedBehind: RegExp;
  /** A bracket in front of a value, perhaps with a conversion: a test behind both brackets is one of the value. */
  readonly bracketBefore: RegExp;
  readonly bracketBehind: RegExp;
  /** A bracket whose conversion has a result also for a value that is not set. */
  readonly conversion: RegExp;
  /** A type behind a value. */
  readonly cast?: RegExp;
  /** The rest of a call such as `orElse(X, 3)`. */
  readonly literalBehind: RegExp;
}

const MOST_BRACKETS = 4;
const CALL = /\w\(\s{0,20}$/;

/** @param before the code in front of the expression @param after the code behind it */
export function isValueTested(before: string, after: string, form: TestForm): boolean {
  let [lead, rest, isConverted] = [before, after, false];
  for (let brackets = 0; brackets <= MOST_BRACKETS; brackets++) {
    if (form.cast !== undefined) rest = rest.replace(form.cast, "");
    if (form.testedBehind.test(rest) || form.branchBefore.test(lead)) return true;
    // Without the value the member fails before anything is tested.
    const isUsed = !isConverted && form.usedBehind.test(rest);
    if (!isUsed && (form.isTestedBefore(lead) || form.passedOnBefore.test(lead))) return true;
    const around = form.bracketBefore.exec(lead);
    const closed = form.bracketBehind.exec(rest);
    if (around === null || closed === null) break;
    isConverted ||= form.conversion.test(around[0]);
    lead = lead.slice(0, around.index);
    rest = rest.slice(closed[0].length);
  }
  return CALL.test(lead) && form.literalBehind.test(rest);
}
