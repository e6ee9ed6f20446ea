/** The compiled search finds what the one in TypeScript finds: the one is written in two languages. */
import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { maskingOf, type Masking } from "../../src/masking/masking.ts";
import { cases, SEED } from "../helpers/seed.ts";
import { noAddon, skipBecause } from "../helpers/skip.ts";
import { withAddon } from "./compiled.ts";
import { secretOutput } from "./outputs.ts";

skipBecause(noAddon);

function masked(masking: Masking, output: Buffer, sizes: readonly number[]): string {
  const masker = masking.stream();
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < output.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(Buffer.from(masker.push(output.subarray(at, at + size))));
    at += size;
  }
  parts.push(Buffer.from(masker.flush()));
  return Buffer.concat(parts).toString("latin1");
}

test("both searches mask the same, however an output is escaped and cut", { timeout: 300_000 }, () => {
  let hits = 0;
  assert(
    property(
      secretOutput,
      array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      ({ values, output }, sizes) => {
        const secrets = values.map((value, index) => ({ name: `SECRET_${index}`, value }));
        for (const cut of [sizes, [output.length]]) {
          const expected = masked(maskingOf(secrets), output, cut);
          expect(masked(withAddon(maskingOf(secrets)), output, cut)).toBe(expected);
          if (expected.includes("***")) hits += 1;
        }
      },
    ),
    { seed: SEED, numRuns: cases(1000, 8000) },
  );
  // Otherwise the cases show nothing.
  expect(hits).toBeGreaterThan(400);
});
