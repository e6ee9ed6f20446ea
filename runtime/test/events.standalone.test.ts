/** Events, signals and streams in the executable's runtime: a script must log the same as in Node.js. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();

function runAndReadLog(program: string): string[] {
  const script = join(import.meta.dirname, "events.cjs");
  return execFileSync(program, [script], { encoding: "utf8", timeout: 20_000 }).trimEnd().split("\n");
}

it("event emitters, abort signals and streams do the same as in Node.js", () => {
  const expected = runAndReadLog(process.execPath);
  expect(expected.at(-1)).toBe('["all"]');
  expect(runAndReadLog(shell)).toEqual(expected);
});

it("the runtime reports a rejected promise that no code handles, and ends if no code listens", () => {
  const listens = `process.on("uncaughtException", ({ message }) => {
    require("node:fs").writeSync(1, message);
    if (message === "first") void Promise.reject(new Error("second"));
  });`;
  const rejects = `const handled = Promise.reject(new Error("handled"));
    void Promise.resolve().then(() => handled.catch(() => {}));
    void Promise.reject(new Error("first"));`;
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-events-"));
  try {
    const script = join(folder, "script.cjs");
    const run = (text: string) => {
      writeFileSync(script, text);
      return spawnSync(shell, [script], { encoding: "utf8", timeout: 20_000 });
    };
    expect(run(listens + rejects)).toMatchObject({ status: 0, stdout: "firstsecond" });
    expect(run(rejects)).toMatchObject({ status: 125, stdout: "" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
