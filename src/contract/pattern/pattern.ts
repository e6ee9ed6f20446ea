/**
 * Patterns of contracts: read, matched and sampled. The matcher is ours because a contract may come from anywhere and is
 * checked before each start: JavaScript's own regular expressions backtrack, so that `(a+)+b` and a value of thirty
 * letters hang it. This one is linear in the value's length, and no pattern can hang a start. Loaded only where a
 * contract has a pattern.
 */
import type { TextPattern } from "../model.ts";
import { buildAutomaton, matches } from "./match.ts";
import { samplePattern } from "./sample.ts";
import { parsePattern } from "./syntax.ts";

/**
 * Makes a pattern ready.
 *
 * @throws SyntaxError where it is not in the language, in words that continue "the pattern …"
 */
export function compilePattern(source: string): TextPattern {
  const pattern = parsePattern(source);
  const first = buildAutomaton(pattern);
  return {
    source,
    matches: (value) => matches(first, value),
    sample: (word, least) => samplePattern(pattern, word, least),
  };
}
