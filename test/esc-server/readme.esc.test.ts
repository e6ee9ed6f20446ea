/** The README of the test server describes all that the server has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Fault } from "./faults.ts";
import { OPERATIONS } from "./routes.ts";

const readme = readFileSync(join(__dirname, "README.md"), "utf8");

/** The first cells of the table under a heading. */
function namesUnder(heading: string): string[] {
  const section = readme.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

// A kind that is missing here does not compile.
const KINDS: Readonly<Record<Fault["kind"], true>> = {
  status: true,
  html: true,
  empty: true,
  invalidJson: true,
  truncated: true,
  reset: true,
  disconnect: true,
  hang: true,
  hold: true,
  drip: true,
  redirect: true,
  oversized: true,
  rateLimit: true,
  diagnostics: true,
  warnings: true,
  expired: true,
};

test("the server's README lists exactly the operations and faults that the server has", () => {
  expect(namesUnder("Operations").toSorted()).toEqual([...OPERATIONS].toSorted());
  expect(namesUnder("Faults").toSorted()).toEqual(Object.keys(KINDS).toSorted());
});
