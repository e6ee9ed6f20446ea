/** Arbitrary patterns of contracts, and values that match them about half of the time. */
import * as fc from "fast-check";

/** Patterns of the contract's language. They use few letters, so that values match about half of them. */
const { pattern: anyPattern } = fc.letrec<{ pattern: string; piece: string; atom: string }>((tie) => ({
  pattern: fc
    .array(
      fc.array(tie("piece"), { maxLength: 4 }).map((pieces) => pieces.join("")),
      { minLength: 1, maxLength: 3 },
    )
    .map((branches) => branches.join("|")),
  piece: fc
    .tuple(tie("atom"), fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,}", "{0,3}", "*?", "+?", "{1,2}?"))
    .map(([atom, limits]) => atom + limits),
  atom: fc.oneof(
    { maxDepth: 3, depthSize: "xsmall", withCrossShrink: true },
    fc.constantFrom(
      "a",
      "b",
      "1",
      "-",
      "_",
      "é",
      "😀",
      ".",
      String.raw`\d`,
      String.raw`\w`,
      String.raw`\s`,
      String.raw`\D`,
    ),
    fc.constantFrom(
      "[ab]",
      "[^a]",
      "[a-c1]",
      String.raw`[\w-]`,
      String.raw`[^\d]`,
      "[😀é]",
      String.raw`[\]\-a]`,
      "[^]",
      "[]",
    ),
    fc.constantFrom(
      String.raw`\.`,
      String.raw`\u0061`,
      String.raw`\x62`,
      String.raw`\u{1F600}`,
      String.raw`\n`,
      String.raw`\/`,
    ),
    tie("pattern").map((pattern) => `(${pattern})`),
    tie("pattern").map((pattern) => `(?:${pattern})`),
  ),
}));
/** Patterns that are small enough, so that their repetitions do not multiply beyond what the language allows. */
export const patterns = anyPattern.filter((pattern) => pattern.length <= 60);
export const patternValues = fc.string({
  unit: fc.constantFrom("a", "b", "c", "1", "-", "_", "é", "😀", ".", " ", "\n", "]", "/"),
  maxLength: 8,
});
