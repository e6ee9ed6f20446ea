/**
 * Decides whether the code around an expression tests its value, or has a fallback for it, such as `process.env.PORT ?? 80`.
 * `init` proposes to require a variable if no such code exists. python-tested-values.ts and script-tested-values.ts have the
 * syntax of Python and JavaScript. `X` stands for the expression.
 */

/** How a language tests, replaces or forwards a value. Each pattern matches the code directly before or after the value. */
export interface TestSyntax {
  /** Matches an operator that tests the value or replaces it: `X ?? 3`. */
  readonly testAfter: RegExp;
  /** Matches an operator after which the value is only used under a condition: `a && X`, `a ? X : b`. */
  readonly branchBefore: RegExp;
  /** Returns true if the code before the value tests it: `if (!X`. */
  readonly hasTestBefore: (before: string) => boolean;
  /** Matches code that hands the value on to other code, which may test it: `return X`. */
  readonly forwardingBefore: RegExp;
  /** Matches an access to a member, or a call, which fails if the value is not set: `X.length`. */
  readonly memberAfter: RegExp;
  /** Matches an opening bracket, and the conversion before it if there is one: `Number(X`. */
  readonly bracketBefore: RegExp;
  readonly bracketAfter: RegExp;
  /** Matches the conversions that have a result even if the value is not set: `String(X`. */
  readonly lenientConversion: RegExp;
  /** Matches a type: `X as string`. */
  readonly castAfter?: RegExp;
  /** Matches a literal that is the next argument of a call, and so probably a default: `orElse(X, 3)`. */
  readonly defaultAfter: RegExp;
}

/** Real code seldom has more than two pairs of brackets around a value. */
const MAX_BRACKETS = 4;
const CALL_BEFORE = /\w\(\s{0,20}$/;

/**
 * Returns true if the code tests the value of an expression, or has a fallback for it.
 *
 * @param before the code directly before the expression
 * @param after the code directly after the expression
 */
export function isValueTested(before: string, after: string, syntax: TestSyntax): boolean {
  let codeBefore = before;
  let codeAfter = after;
  // After `String(X)` the value is set, even if X is not.
  let isAlwaysSet = false;
  // Each round looks at the expression with one more pair of brackets: X, then (X), then Number((X)).
  for (let brackets = 0; brackets <= MAX_BRACKETS; brackets++) {
    if (syntax.castAfter !== undefined) codeAfter = codeAfter.replace(syntax.castAfter, "");
    if (syntax.testAfter.test(codeAfter) || syntax.branchBefore.test(codeBefore)) return true;
    // In `if (X.length)` the access to the member fails before anything is tested.
    const failsAtMember = !isAlwaysSet && syntax.memberAfter.test(codeAfter);
    if (!failsAtMember && (syntax.hasTestBefore(codeBefore) || syntax.forwardingBefore.test(codeBefore))) return true;
    const opening = syntax.bracketBefore.exec(codeBefore);
    const closing = syntax.bracketAfter.exec(codeAfter);
    if (opening === null || closing === null) break;
    isAlwaysSet ||= syntax.lenientConversion.test(opening[0]);
    codeBefore = codeBefore.slice(0, opening.index);
    codeAfter = codeAfter.slice(closing[0].length);
  }
  return CALL_BEFORE.test(codeBefore) && syntax.defaultAfter.test(codeAfter);
}
