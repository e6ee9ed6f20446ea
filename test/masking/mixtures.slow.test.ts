import { array, assert, constantFrom, integer, nat, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { maskingOf } from "../../src/masking/masking.ts";
import { withAddon } from "./compiled.ts";
import { cases, SEED } from "../helpers/seed.ts";
import { MIXTURES } from "./mixtures.ts";

const COUNT = cases(100, 1000);
const LETTERS = Array.from("aB7z0-_.");
const SPECIALS = Array.from("\"'\\/+=&<> $%#;:!?*~`@,()[]{}|^\n\té€😀");
const value = string({ unit: constantFrom(...LETTERS, ...SPECIALS), minLength: 8, maxLength: 40 }).filter(
  // A quote at an end may be one of the word's, and JSON has strings of its own.
  (text) => text.trim() === text && text.length >= 8 && !/^['{["]|['"]$/.test(text),
);

describe.each(Object.entries(MIXTURES))("any mixture of escaped and plain characters: %s", (_, mixture) => {
  test.each([
    ["JavaScript", false],
    ["the addon", true],
  ])("by %s", (__, isCompiled) => {
    let tried = 0;
    assert(
      property(
        value,
        array(nat(), { minLength: 60, maxLength: 60 }),
        integer({ min: 1, max: 50 }),
        (text, choices, size) => {
          let turn = 0;
          const encoded = mixture(text, (limit) => (choices[turn++ % choices.length] ?? 0) % limit);
          const masking = maskingOf([
            { name: "SECRET", value: text },
            { name: "OTHER", value: "a-token-without-special-characters" },
          ]);
          const masker = (isCompiled ? withAddon(masking) : masking).stream();
          // Lines around it, which the search skips.
          const output = Buffer.from(`2026-11-27 INFO started\n<<${encoded}>>\n2026-11-27 INFO ended\n`);
          let out = "";
          for (let at = 0; at < output.length; at += size)
            out += Buffer.from(masker.push(output.subarray(at, at + size))).toString("latin1");
          out += Buffer.from(masker.flush()).toString("latin1");
          expect(out).toBe("2026-11-27 INFO started\n<<***>>\n2026-11-27 INFO ended\n");
          tried += 1;
        },
      ),
      { seed: SEED, numRuns: COUNT },
    );
    expect(tried).toBeGreaterThanOrEqual(COUNT);
  });
});
