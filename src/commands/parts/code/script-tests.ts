/** Decides whether JavaScript code has a fallback for the value of an expression, or tests whether the value is set; pure. */
import { isValueTested, type TestSyntax } from "./value-tests.ts";

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
  // These include both branches of `a ? X : Y`.
  branchBefore: /(?:\?\?|\|\||&&|\?|\?[^?:,;{}\n]{1,200}:)\s{0,20}$/,
  isTestBefore: (before) => TEST_BEFORE.test(before) || isInCondition(before),
  passOnBefore: /(?:\breturn|=>|\b(?:console|log|logger)\.\w{1,20}\([^()]{0,200})\s{0,20}$/,
  memberAfter: /^!?(?:\s*\.|[[(])/,
  bracketBefore: /(?:\b(?:Number|String|BigInt|(?:Number\.)?parse(?:Int|Float)))?\(\s{0,20}$/,
  // `parseInt(X, 10)` has a radix.
  bracketAfter: /^\s*(?:,\s*\d{1,2}\s*)?\)/,
  // `Number(undefined)` is NaN, whereas `BigInt(undefined)` throws.
  lenientConversion: /^(?!BigInt)\w/,
  castAfter: /^\s+(?:as|satisfies)\s+[\w.<>[\]| ]{1,60}?(?=\s*[);,\n?|&]|$)/,
  literalAfter: /^\s*,\s*(?:["'`\d]|true\b|false\b|null\b|undefined\b)/,
};

/**
 * Returns true if the code has a fallback for the expression, or tests it.
 *
 * @param before the code before the expression
 * @param after the code after the expression
 */
export function isTested(before: string, after: string): boolean {
  return isValueTested(before, after, SCRIPT_SYNTAX);
}

/** Returns true if the code ends within the brackets of `if (…)`, `while (…)` or `switch (…)`. */
function isInCondition(before: string): boolean {
  const statementEnd = Math.max(before.lastIndexOf(";"), before.lastIndexOf("{"), before.lastIndexOf("}"));
  const [, condition] = /\b(?:if|while|switch)\s{0,20}(\([^]*)$/.exec(before.slice(statementEnd + 1)) ?? [];
  let depth = 0;
  for (const character of condition ?? "") {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    if (depth === 0) return false;
  }
  return depth > 0;
}
