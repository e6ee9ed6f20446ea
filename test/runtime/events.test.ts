/** Events, signals and streams in the executable's runtime: the same script logs the same as in Node.js. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { needShell, shell } from "../helpers/runtime.ts";

needShell();

function logOf(program: string): string[] {
  const script = join(import.meta.dirname, "events.cjs");
  return execFileSync(program, [script], { encoding: "utf8", timeout: 20_000 }).trimEnd().split("\n");
}

it("emits, aborts and streams as Node.js does", () => {
  const expected = logOf(process.execPath);
  expect(expected.at(-1)).toBe('["all"]');
  expect(logOf(shell)).toEqual(expected);
});
