/** Finds if JavaScript around an expression has a fallback for it, or tests if it is set; pure. */

/** Operators behind a value that replace it or test it. Numbers are compared, too: nothing is less than what is not set. */
const TESTED_BEHIND = /^\s*(?:\?\?|\|\||&&|\?\.|\?(?![?:])|[!=]==?|[<>]=?|in\b|instanceof\b)/;
/** Operators in front of it, a branch of `a ? X : Y`, and functions that test. */
const TESTED_BEFORE = new RegExp(
  `(?:${[
    "!",
    String.raw`\btypeof`,
    String.raw`(?:\?\?|\|\||&&|[!=]==?)`,
    String.raw`\?`,
    String.raw`\?[^?:,;{}\n]{1,200}:`,
    String.raw`\b(?:Boolean|is[A-Z]\w{0,60}|has[A-Z]\w{0,60}|\w{0,60}(?:[bB]ool|[tT]ruthy|[eE]nabled)\w{0,60})\(`,
  ].join("|")})\\s{0,20}$`,
);
/** Code that passes a value on, even if it is not set. */
const PASSED_ON = /(?:\breturn|=>|\b(?:console|log|logger)\.\w{1,20}\([^()]{0,200})\s{0,20}$/;
/** A member of the value, or a call of it, which fails without one. */
const USED_BEHIND = /^!?(?:\s*\.|[[(])/;
/** Brackets, or a conversion, around a value: a test behind them is one of the value. */
const AROUND = /(?:\b(?:Number|String|BigInt|(?:Number\.)?parse(?:Int|Float)))?\(\s{0,20}$/;
const CAST = /^\s+(?:as|satisfies)\s+[\w.<>[\]| ]{1,60}?(?=\s*[);,\n?|&]|$)/;
/** A call such as `orElse(X, 3)`. */
const WITH_LITERAL = /^\s*,\s*(?:["'`\d]|true\b|false\b|null\b|undefined\b)/;
const MOST_BRACKETS = 4;

/** @param before the code in front of the expression @param after the code behind it */
export function isTested(before: string, after: string): boolean {
  let [lead, rest] = [before, after];
  for (let brackets = 0; brackets <= MOST_BRACKETS; brackets++) {
    rest = rest.replace(CAST, "");
    if (TESTED_BEHIND.test(rest) || TESTED_BEFORE.test(lead) || isInCondition(lead)) return true;
    if (PASSED_ON.test(lead) && !USED_BEHIND.test(rest)) return true;
    const around = AROUND.exec(lead);
    const closed = /^\s*(?:,\s*\d{1,2}\s*)?\)/.exec(rest);
    if (around === null || closed === null) break;
    lead = lead.slice(0, around.index);
    rest = rest.slice(closed[0].length);
  }
  return /\w\(\s*$/.test(lead) && WITH_LITERAL.test(rest);
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
