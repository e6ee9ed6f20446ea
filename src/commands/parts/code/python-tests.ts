/** Finds if Python around an expression has a fallback for it, or tests if it is set; pure. */

/** A line cannot begin with `or`, so that one behind a line break goes on. */
const TESTED_BEHIND = /^(?:[ \t]*(?:(?:is|in|not|if)\b|[!=]=|[<>])|\s*(?:or|and)\b)/;
const TESTED_BEFORE =
  /(?:\b(?:not|if|elif|while|or|and|in|assert|else)|[!=]=|\b(?:bool|is_\w{1,60}|has_\w{1,60}|\w{0,60}(?:bool|truthy|enabled)\w{0,60})\([^()\n]{0,80})[ \t]{0,20}$/;
/** Code that passes a value on, even if it is not set. */
const PASSED_ON =
  /(?:\b(?:return|yield)|\blambda\b[^:\n]{0,80}:|\b(?:print|log\w{0,20}\.\w{1,20})\([^()\n]{0,80})[ \t]{0,20}$/;
/** A member of the value, or a call of it, which fails without one. */
const USED_BEHIND = /^[ \t]*[.[(]/;
/** Brackets, or a conversion, around a value: a test behind them is one of the value. */
const AROUND = /(?:\b(?:int|float|str))?\([ \t]{0,20}$/;
const MOST_BRACKETS = 4;

/** @param before the code in front of the expression @param after the code behind it */
export function isTested(before: string, after: string): boolean {
  let [lead, rest] = [before, after];
  for (let brackets = 0; brackets <= MOST_BRACKETS; brackets++) {
    if (TESTED_BEHIND.test(rest) || TESTED_BEFORE.test(lead)) return true;
    if (PASSED_ON.test(lead) && !USED_BEHIND.test(rest)) return true;
    const around = AROUND.exec(lead);
    const closed = /^[ \t]*(?:,[ \t]*\d{1,2}[ \t]*)?\)/.exec(rest);
    if (around === null || closed === null) break;
    lead = lead.slice(0, around.index);
    rest = rest.slice(closed[0].length);
  }
  // A call such as `or_else(X, "x")`.
  return /\w\([ \t]{0,20}$/.test(lead) && /^[ \t]*,[ \t]*(?:["'\d]|True\b|False\b|None\b)/.test(rest);
}
