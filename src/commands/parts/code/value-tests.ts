/**
 * Decides whether the code around an expression has a fallback for its value, or tests whether the value is set. `init` proposes
 * to require a variable if no such code exists. The syntax of each language is in python-tests.ts and script-tests.ts; pure.
 */

/** How a language tests a value, replaces it, or passes it on. Each pattern sees the code directly before or after the value. */
export interface TestSyntax {
  /** Matches an operator after the value that tests or replaces it: `X ?? 3`. */
  readonly testAfter: RegExp;
  /** Matches an operator before the value, after which it is not always evaluated, or replaces another value: `a ?? X`. */
  readonly branchBefore: RegExp;
  /** Returns true if the code before the value tests it: `if (!X`. */
  readonly isTestBefore: (before: string) => boolean;
  /** Matches code before the value that passes the value on, even if it is not set: `return X`. */
  readonly passOnBefore: RegExp;
  /** Matches a member or a call of the value, which fails if the value is not set: `X.length`. */
  readonly memberAfter: RegExp;
  /** Matches an opening bracket before the value, with a conversion if there is one: `Number(X`. */
  readonly bracketBefore: RegExp;
  readonly bracketAfter: RegExp;
  /** Matches such a bracket if its conversion has a result even for a value that is not set: `String(X`. */
  readonly lenientConversion: RegExp;
  /** Matches a type after the value: `X as string`. */
  readonly castAfter?: RegExp;
  /** Matches the rest of a call with a literal, which is the default: `orElse(X, 3)`. */
  readonly literalAfter: RegExp;
}

const MAX_BRACKETS = 4;
const CALL_BEFORE = /\w\(\s{0,20}$/;

/**
 * Returns true if the code has a fallback for the value, or tests it.
 *
 * @param before the code before the expression
 * @param after the code after the expression
 */
export function isValueTested(before: string, after: string, syntax: TestSyntax): boolean {
  let left = before;
  let right = after;
  let isConverted = false;
  // Each round looks at the expression with one more pair of brackets: X, then (X), then Number((X)).
  for (let brackets = 0; brackets <= MAX_BRACKETS; brackets++) {
    if (syntax.castAfter !== undefined) right = right.replace(syntax.castAfter, "");
    if (syntax.testAfter.test(right) || syntax.branchBefore.test(left)) return true;
    // If the value is not set, the access to its member fails before anything is tested.
    const hasMember = !isConverted && syntax.memberAfter.test(right);
    if (!hasMember && (syntax.isTestBefore(left) || syntax.passOnBefore.test(left))) return true;
    const opening = syntax.bracketBefore.exec(left);
    const closing = syntax.bracketAfter.exec(right);
    if (opening === null || closing === null) break;
    isConverted ||= syntax.lenientConversion.test(opening[0]);
    left = left.slice(0, opening.index);
    right = right.slice(closing[0].length);
  }
  return CALL_BEFORE.test(left) && syntax.literalAfter.test(right);
}
