/** In the executable no timer and no signal can end JavaScript that computes without waiting: a limit on processor time does. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { needShell, shell } from "./helpers/shell.ts";

needShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-turns-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(limits: string, program: string) {
  const file = join(folder, "program.cjs");
  writeFileSync(file, `const { limitTurns } = require("turns"); ${limits}; ${program}`);
  const { status, stdout, stderr } = spawnSync(shell, [file], { encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

it.each([
  ["a loop", "for (;;);"],
  ["a regular expression", '/^(a+)+$/.test("a".repeat(64) + "b");'],
  ["a loop in a later turn", "setTimeout(() => { for (;;); }, 1);"],
])("ends %s", (_, program) => {
  const { status, stderr } = run("limitTurns(200)", program);
  expect(status).toBe(125);
  expect(stderr).toContain("reading the sources takes more than 200 ms of processor time");
  expect(stderr).toContain("--timeout");
});

/** Computes in each of its turns for a small part of the limit, and in all of them for more. */
const TURNS = `
let left = 40;
const turn = () => {
  for (let step = 0; step < 1_000_000; step++);
  if ((left -= 1) > 0) setTimeout(turn, 1);
  else require("fs").writeSync(1, "done");
};
turn();`;

it.each([
  ["counts no earlier turns", "limitTurns(400)"],
  ["has no effect once it is over", "limitTurns(0); limitTurns(1)"],
])("%s", (_, limits) => {
  expect(run(limits, TURNS)).toEqual({ status: 0, stdout: "done", stderr: "" });
});
