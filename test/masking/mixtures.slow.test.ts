import { array, assert, constantFrom, integer, nat, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { createMasking } from "../../src/masking/masking.ts";
import { useCompiledSearch } from "./compiled-search.ts";
import { caseCount, SEED } from "../helpers/seed.ts";
import { MIXTURES } from "./mixtures.ts";

const COUNT = caseCount(100, 1000);
const LETTERS = Array.from("aB7z0-_.");
const SPECIALS = Array.from("\"'\\/+=&<> $%#;:!?*~`@,()[]{}|^\n\té€😀");
const arbitraryValue = string({ unit: constantFrom(...LETTERS, ...SPECIALS), minLength: 8, maxLength: 40 }).filter(
  // A quote at an end could belong to the shell's word, and the strings in a value that is JSON are masked by themselves.
  (text) => text.trim() === text && text.length >= 8 && !/^['{["]|['"]$/.test(text),
);

describe.each(Object.entries(MIXTURES))(
  "a secret in any mixture of escaped and plain characters of %s",
  (_, mixture) => {
    test.each([
      ["JavaScript", false],
      ["the addon", true],
    ])("is masked by the search in %s", (__, isCompiled) => {
      let checkedCases = 0;
      assert(
        property(
          arbitraryValue,
          array(nat(), { minLength: 60, maxLength: 60 }),
          integer({ min: 1, max: 50 }),
          (text, choices, size) => {
            let turn = 0;
            const encoded = mixture(text, (limit) => (choices[turn++ % choices.length] ?? 0) % limit);
            const masking = createMasking([
              { name: "SECRET", value: text },
              { name: "OTHER", value: "a-token-without-special-characters" },
            ]);
            const masker = (isCompiled ? useCompiledSearch(masking) : masking).stream();
            // The search skips the lines around the secret.
            const output = Buffer.from(`2026-11-27 INFO started\n<<${encoded}>>\n2026-11-27 INFO ended\n`);
            let maskedOutput = "";
            for (let offset = 0; offset < output.length; offset += size)
              maskedOutput += Buffer.from(masker.push(output.subarray(offset, offset + size))).toString("latin1");
            maskedOutput += Buffer.from(masker.flush()).toString("latin1");
            expect(maskedOutput).toBe("2026-11-27 INFO started\n<<***>>\n2026-11-27 INFO ended\n");
            checkedCases += 1;
          },
        ),
        { seed: SEED, numRuns: COUNT },
      );
      expect(checkedCases).toBeGreaterThanOrEqual(COUNT);
    });
  },
);
