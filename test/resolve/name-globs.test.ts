import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesGlob } from "../../src/resolve/name-globs.ts";

/** Matches a glob by a regular expression, which is simple but may take exponential time for long names. */
function matchesExpression(glob: string, name: string): boolean {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su").test(name);
}

test("matchesGlob matches a name like the glob's regular expression", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", ".", "😀", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (glob, name) => {
      expect(matchesGlob(glob, name)).toBe(matchesExpression(glob, name));
    }),
    { numRuns: 3000 },
  );
});

test("matchesGlob takes little time for a glob with hundreds of stars", () => {
  expect(matchesGlob(`${"*A".repeat(200)}*B`, "A".repeat(20_000))).toBe(false);
});
