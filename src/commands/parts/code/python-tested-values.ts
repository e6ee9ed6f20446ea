/**
 * Decides whether Python code tests the value of an expression, or has a fallback for it. `init` proposes to require the variables
 * whose values are not tested.
 */
import { isValueTested, type TestSyntax } from "./tested-values.ts";

/** `if X`, `not X`, `while X`, `"" == X`, `bool(X)`, `is_valid(X)`. The limits bound the time that the pattern takes. */
const TEST_BEFORE =
  /(?:\b(?:not|if|elif|while|in|assert)|[!=]=|\b(?:bool|is_\w{1,60}|has_\w{1,60}|\w{0,60}(?:bool|truthy|enabled)\w{0,60})\([^()\n]{0,80})[ \t]{0,20}$/;

const PYTHON_SYNTAX: TestSyntax = {
  // No statement begins with `or` or `and`, so these words continue the expression of the line above.
  testAfter: /^(?:[ \t]*(?:(?:is|in|not|if)\b|[!=]=|[<>])|\s*(?:or|and)\b)/,
  branchBefore: /\b(?:or|and|else)[ \t]{0,20}$/,
  hasTestBefore: (before) => TEST_BEFORE.test(before),
  forwardingBefore:
    /(?:\b(?:return|yield)|\blambda\b[^:\n]{0,80}:|\b(?:print|log\w{0,20}\.\w{1,20})\([^()\n]{0,80})[ \t]{0,20}$/,
  memberAfter: /^[ \t]*[.[(]/,
  bracketBefore: /(?:\b(?:int|float|str))?\([ \t]{0,20}$/,
  // `int(X, 16)` has a base.
  bracketAfter: /^[ \t]*(?:,[ \t]*\d{1,2}[ \t]*)?\)/,
  // `str(None)` is a text, whereas `int(None)` raises an exception.
  lenientConversion: /^str/,
  defaultAfter: /^[ \t]*,[ \t]*(?:["'\d]|True\b|False\b|None\b)/,
};

/**
 * Returns true if the code tests the value of an expression, or has a fallback for it.
 *
 * @param before the code directly before the expression
 * @param after the code directly after the expression
 */
export function isTestedInPython(before: string, after: string): boolean {
  return isValueTested(before, after, PYTHON_SYNTAX);
}
