/**
 * Decides whether JavaScript or TypeScript code tests the value of an expression, or has a fallback for it. `init` proposes to
 * require the variables whose values are not tested. Limits such as `{0,60}` bound the time that the patterns take.
 */
import { isValueTested, type TestSyntax } from "./tested-values.ts";

/** Operators and functions before a value that test it: `!X`, `typeof X`, `"" === X`, `Boolean(X)`, `isEnabled(X)`. */
const TEST_BEFORE = new RegExp(
  `(?:${[
    "!",
    String.raw`\btypeof`,
    "[!=]==?",
    String.raw`\b(?:Boolean|is[A-Z]\w{0,60}|has[A-Z]\w{0,60}|\w{0,60}(?:[bB]ool|[tT]ruthy|[eE]nabled)\w{0,60})\(`,
  ].join("|")})\\s{0,20}$`,
);

const SCRIPT_SYNTAX: TestSyntax = {
  // A comparison of numbers is a test as well: it is false for `undefined`.
  testAfter: /^\s*(?:\?\?|\|\||&&|\?\.|\?(?![?:])|[!=]==?|[<>]=?|in\b|instanceof\b)/,
  // Both branches of `a ? X : Y` are matched.
  branchBefore: /(?:\?\?|\|\||&&|\?|\?[^?:,;{}\n]{1,200}:)\s{0,20}$/,
  hasTestBefore: (before) => TEST_BEFORE.test(before) || isInCondition(before),
  forwardingBefore: /(?:\breturn|=>|\b(?:console|log|logger)\.\w{1,20}\([^()]{0,200})\s{0,20}$/,
  // `!` is TypeScript's non-null mark: `X!.length`.
  memberAfter: /^!?(?:\s*\.|[[(])/,
  bracketBefore: /(?:\b(?:Number|String|BigInt|(?:Number\.)?parse(?:Int|Float)))?\(\s{0,20}$/,
  // `parseInt(X, 10)` has a radix.
  bracketAfter: /^\s*(?:,\s*\d{1,2}\s*)?\)/,
  // `Number(undefined)` is NaN, whereas `BigInt(undefined)` throws.
  lenientConversion: /^(?!BigInt)\w/,
  castAfter: /^\s+(?:as|satisfies)\s+[\w.<>[\]| ]{1,60}?(?=\s*[);,\n?|&]|$)/,
  defaultAfter: /^\s*,\s*(?:["'`\d]|true\b|false\b|null\b|undefined\b)/,
};

/**
 * Returns true if the code tests the value of an expression, or has a fallback for it.
 *
 * @param before the code directly before the expression
 * @param after the code directly after the expression
 */
export function isTestedInScript(before: string, after: string): boolean {
  return isValueTested(before, after, SCRIPT_SYNTAX);
}

/** Returns true if the code ends within the brackets of `if (…)`, `while (…)` or `switch (…)`. */
function isInCondition(before: string): boolean {
  const statementEnd = Math.max(before.lastIndexOf(";"), before.lastIndexOf("{"), before.lastIndexOf("}"));
  const [, condition = ""] = /\b(?:if|while|switch)\s{0,20}(\([^]*)$/.exec(before.slice(statementEnd + 1)) ?? [];
  let openBrackets = 0;
  for (const character of condition) {
    if (character === "(") openBrackets += 1;
    else if (character === ")") openBrackets -= 1;
    const isConditionClosed = openBrackets === 0;
    if (isConditionClosed) return false;
  }
  return openBrackets > 0;
}
