import * as fc from "fast-check";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { caseCount } from "../../helpers/seed.ts";
import { folder, sophiaRun } from "../../helpers/sophia.ts";

/** A program that writes what plan.json lists: [descriptor, bytes as base64, milliseconds to wait afterwards]. */
const WRITER = `
const fs = require("node:fs");
for (const [descriptor, bytes, pause] of JSON.parse(fs.readFileSync("plan.json", "utf8"))) {
  for (let rest = Buffer.from(bytes, "base64"); rest.length > 0;) rest = rest.subarray(fs.writeSync(descriptor, rest));
  if (pause > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
}`;

const CONTRACT = JSON.stringify({ variables: { A: { secret: true }, B: { secret: true } } });

// The first byte occurs nowhere else, so that no two secrets overlap, and no filler completes a secret.
const secret = (first: string): fc.Arbitrary<string> =>
  fc.stringMatching(/^[b-m0-9]{9,40}$/).map((rest) => `${first}${rest}`);
const arbitraryFiller = fc
  .uint8Array({ maxLength: 400 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x58 && byte !== 0x59)));

it(
  "sophia-run masks each secret, and passes on all other bytes, wherever the program's writes are cut and delayed",
  { timeout: 120_000 },
  async () => {
    const outputs = fc.record({
      a: secret("X"),
      b: secret("Y"),
      pieces: fc.array(fc.oneof(arbitraryFiller, fc.constantFrom("a" as const, "b" as const)), {
        minLength: 1,
        maxLength: 30,
      }),
      cuts: fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 0, 0, 0, 1, 5, 70)), {
        minLength: 1,
        maxLength: 12,
      }),
      descriptor: fc.constantFrom(1 as const, 2 as const),
    });
    await fc.assert(
      fc.asyncProperty(outputs, async ({ a, b, pieces, cuts, descriptor }) => {
        const values = { a, b };
        const whole = Buffer.concat(
          pieces.map((piece) => (typeof piece === "string" ? Buffer.from(values[piece]) : piece)),
        );
        const expected = Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from("***") : piece)));
        const plan: unknown[] = [];
        let pauses = 0;
        for (let offset = 0, turn = 0; offset < whole.length; turn++) {
          const [length, pause] = cuts[turn % cuts.length] ?? [1, 0];
          // A few long pauses are enough; hundreds of them would take too long.
          pauses += pause > 50 ? 1 : 0;
          plan.push([descriptor, whole.subarray(offset, offset + length).toString("base64"), pauses > 3 ? 0 : pause]);
          offset += length;
        }
        const cwd = folder({ "sophia.contract.json": CONTRACT, "writer.cjs": WRITER });
        writeFileSync(join(cwd, "plan.json"), JSON.stringify(plan));
        const output = await runWriter(cwd, { A: a, B: b }, descriptor);
        // After a silence, which a busy machine causes too, a quarter of the secret may appear in front of `***`.
        const text = output.toString("latin1").replaceAll(/([XY][b-m0-9]{0,6})(?=\*\*\*)/g, (shown) => {
          const value = shown.startsWith("X") ? a : b;
          return value.startsWith(shown) && shown.length <= value.length / 4 ? "" : shown;
        });
        expect(text === expected.toString("latin1")).toBe(true);
      }),
      { numRuns: caseCount(10, 100), endOnFailure: true },
    );
  },
);

/** Returns what the masked writer has written to the descriptor. */
async function runWriter(cwd: string, values: Readonly<Record<string, string>>, descriptor: 1 | 2): Promise<Buffer> {
  const [command, ...prefix] = sophiaRun;
  const child = spawn(command, [...prefix, "--redact", "--", process.execPath, "writer.cjs"], {
    cwd,
    env: { PATH: process.env["PATH"], ...values },
  });
  const chunks: Buffer[] = [];
  (descriptor === 1 ? child.stdout : child.stderr).on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.once("close", resolve));
  return Buffer.concat(chunks);
}
