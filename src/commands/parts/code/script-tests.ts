/** Finds if JavaScript around an expression has a fallback for it, or tests if it is set; pure. */
import { isValueTested, type TestForm } from "./value-tests.ts";

/** Operators in front of a value that test it, and functions that do. */
const TESTED_BEFORE = new RegExp(
  `(?:${[
    "!",
    String.raw`\btypeof`,
    "[!=]==?",
    String.raw`\b(?:Boolean|is[A-Z]\w{0,60}|has[A-Z]\w{0,60}|\w{0,60}(?:[bB]ool|[tT]ruthy|[eE]nabled)\w{0,60})\(`,
  ].join("|")})\\s{0,20}$`,
);

const FORM: TestForm = {
  // Numbers are compared, too: nothing is less than what is not set.
  testedBehind: /^\s*(?:\?\?|\|\||&&|\?\.|\?(?![?:])|[!=]==?|[<>]=?|in\b|instanceof\b)/,
  // Both branches of `a ? X : Y`, too.
  branchBefore: /(?:\?\?|\|\||&&|\?|\?[^?:,;{}\n]{1,200}:)\s{0,20}$/,
  isTestedBefore: (before) => TESTED_BEFORE.test(before) || isInCondition(before),
  passedOnBefore: /(?:\breturn|=>|\b(?:console|log|logger)\.\w{1,20}\([^()]{0,200})\s{0,20}$/,
  usedBehind: /^!?(?:\s*\.|[[(])/,
  bracketBefore: /(?:\b(?:Number|String|BigInt|(?:Number\.)?parse(?:Int|Float)))?\(\s{0,20}$/,
  bracketBehind: /^\s*(?:,\s*\d{1,2}\s*)?\)/,
  conversion: /^(?!BigInt)\w/,
  cast: /^\s+(?:as|satisfies)\s+[\w.<>[\]| ]{1,60}?(?=\s*[);,\n?|&]|$)/,
  literalBehind: /^\s*,\s*(?:["'`\d]|true\b|false\b|null\b|undefined\b)/,
};

/** @param before the code in front of the expression @param after the code behind it */
export function isTested(before: string, after: string): boolean {
  return isValueTested(before, after, FORM);
}

/** Returns true within the brackets of `if (…)`, `while (…)` and `switch (…)`. */
function isInCondition(before: string): boolean {
  const end = Math.max(before.lastIndexOf(";"), before.lastIndexOf("{"), before.lastIndexOf("}"));
  const [, opened] = /\b(?:if|while|switch)\s{0,20}(\([^]*)$/.exec(before.slice(end + 1)) ?? [];
  let depth = 0;
  for (const character of opened ?? "") {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    if (depth === 0) return false;
  }
  return depth > 0;
}
