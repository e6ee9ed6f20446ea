/** Finds if Python around an expression has a fallback for it, or tests if it is set; pure. */
import { isValueTested, type TestForm } from "./value-tests.ts";

const TESTED_BEFORE =
  /(?:\b(?:not|if|elif|while|in|assert)|[!=]=|\b(?:bool|is_\w{1,60}|has_\w{1,60}|\w{0,60}(?:bool|truthy|enabled)\w{0,60})\([^()\n]{0,80})[ \t]{0,20}$/;

const FORM: TestForm = {
  // A line cannot begin with `or`, so that one behind a line break goes on.
  testedBehind: /^(?:[ \t]*(?:(?:is|in|not|if)\b|[!=]=|[<>])|\s*(?:or|and)\b)/,
  branchBefore: /\b(?:or|and|else)[ \t]{0,20}$/,
  isTestedBefore: (before) => TESTED_BEFORE.test(before),
  passedOnBefore:
    /(?:\b(?:return|yield)|\blambda\b[^:\n]{0,80}:|\b(?:print|log\w{0,20}\.\w{1,20})\([^()\n]{0,80})[ \t]{0,20}$/,
  usedBehind: /^[ \t]*[.[(]/,
  bracketBefore: /(?:\b(?:int|float|str))?\([ \t]{0,20}$/,
  bracketBehind: /^[ \t]*(?:,[ \t]*\d{1,2}[ \t]*)?\)/,
  conversion: /^str/,
  literalBehind: /^[ \t]*,[ \t]*(?:["'\d]|True\b|False\b|None\b)/,
};

/** @param before the code in front of the expression @param after the code behind it */
export function isTested(before: string, after: string): boolean {
  return isValueTested(before, after, FORM);
}
