import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesGlob } from "../../src/resolve/name-globs.ts";

/** What a glob means, in an expression that may take forever for long names. */
function byExpression(glob: string, name: string): boolean {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su").test(name);
}

test("a glob matches names with * and ?", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", ".", "😀", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (glob, name) => {
      expect(matchesGlob(glob, name)).toBe(byExpression(glob, name));
    }),
    { numRuns: 3000 },
  );
});

test("matching a glob takes little time", () => {
  expect(matchesGlob(`${"*A".repeat(200)}*B`, "A".repeat(20_000))).toBe(false);
});
