/** Multiples of base points in the executable, by smaller tables than the library's (build/parts/aws-lc-tables.mjs). */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { notMade } from "../../test/helpers/standalone.ts";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";

skipBecause(notLinux ?? notMade);

it("multiples at the ends of the scalars and of each window are right, secret and public ones", async () => {
  const script = join(import.meta.dirname, "helpers/points.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  expect(stdout).toMatch(/^\d{4} multiples\n$/);
}, 300_000);
