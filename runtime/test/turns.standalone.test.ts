/**
 * Neither a timer nor a signal can end JavaScript in the executable while it computes without waiting. A limit on the processor time
 * of a turn of the event loop ends it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-turns-"));
afterAll(() => rmSync(folder, { recursive: true }));

function runWithLimits(limits: string, program: string) {
  const file = join(folder, "program.cjs");
  writeFileSync(file, `const { limitTurns } = require("turns"); ${limits}; ${program}`);
  const { status, stdout, stderr } = spawnSync(shell, [file], { encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

it.each([
  ["a loop", "for (;;);"],
  ["a regular expression", '/^(a+)+$/.test("a".repeat(64) + "b");'],
  ["a loop in a later turn", "setTimeout(() => { for (;;); }, 1);"],
])("the limit on processor time ends %s", (_, program) => {
  const { status, stderr } = runWithLimits("limitTurns(200)", program);
  expect(status).toBe(125);
  expect(stderr).toContain("reading the sources takes more than 200 ms of processor time");
  expect(stderr).toContain("--timeout");
});

/** A program whose turns take a small part of the limit each, and more than the limit together. */
const TURNS = `
let left = 40;
const turn = () => {
  for (let step = 0; step < 1_000_000; step++);
  if ((left -= 1) > 0) setTimeout(turn, 1);
  else require("fs").writeSync(1, "done");
};
turn();`;

it.each([
  ["applies to each turn by itself", "limitTurns(400)"],
  ["has no effect once its period is over", "limitTurns(0); limitTurns(1)"],
])("the limit on processor time %s", (_, limits) => {
  expect(runWithLimits(limits, TURNS)).toEqual({ status: 0, stdout: "done", stderr: "" });
});
