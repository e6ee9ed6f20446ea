/**
 * Patterns of contracts: read, matched and sampled. The matcher is ours because a contract may come from anywhere and is
 * checked before each start: JavaScript's own regular expressions backtrack, so that `(a+)+b` and a value of thirty
 * letters hang it. This one is linear in the value's length, and no pattern can hang a start. Loaded only where a
 * contract has a pattern.
 */
import { SophiaError } from "../../core/error.ts";
import type { PatternUse, TextPattern } from "../model.ts";
import { makeMatcher } from "./match.ts";
import { samplePattern } from "./sample.ts";
import { parsePattern } from "./syntax.ts";

/** @throws SyntaxError where the text is not in the language, in words that continue "the pattern …" */
export function compilePattern(source: string): TextPattern {
  const pattern = parsePattern(source);
  const matches = makeMatcher(pattern);
  return {
    source,
    matches: (value, use) => matches(value, meter(use)),
    sample: (word, least) => samplePattern(pattern, word, least),
  };
}

/**
 * What one check may spend: about half a second in the slowest engine, that of the stand-alone executable. Steps are
 * counted, not time, so that a start does not depend on the machine.
 */
const MOST_STEPS = 2_000_000;

/** Counts the steps of one match. @throws SophiaError (contract-slow, 125) if the check has had too many */
function meter({ name, work }: PatternUse): (steps: number) => void {
  let own = 0;
  return (steps) => {
    own += steps;
    work.steps += steps;
    if (own > work.most) {
      work.most = own;
      work.slowest = name;
    }
    if (work.steps <= MOST_STEPS) return;
    throw new SophiaError({
      code: "contract-slow",
      message: `the contract's patterns take too long; the slowest is that of ${work.slowest}`,
      hint: "simplify it, above all repetitions within repetitions, or shorten the value",
    });
  };
}
