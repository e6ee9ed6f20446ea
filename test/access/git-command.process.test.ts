import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runGit } from "../../src/access/git-command.ts";
import { createRepository } from "../commands/scan/repository.ts";
import { notInstalled, skipBecause } from "../helpers/skip.ts";

skipBecause(notInstalled("git", "--version"));

const LIMIT_MS = 300_000;

// Git and its pipes are real. Only the clock is fake, so that the test decides when time passes.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Starts a git that answers each line of its input without waiting for the next line. */
function startGit() {
  const input = new PassThrough({ encoding: "utf8" });
  const environment = new Map([["PATH", process.env["PATH"] ?? ""]]);
  const answers = runGit({ cwd: createRepository({}), environment }, ["cat-file", "--batch-check"], input);
  const exchange = async (): Promise<void> => {
    input.write("name\n");
    expect(String((await answers.next()).value)).toBe("name missing\n");
  };
  return { input, answers, exchange };
}

test("sophia-run lets git run for longer than the limit if no pause in its output is as long as the limit", async () => {
  const { input, answers, exchange } = startGit();
  for (let round = 0; round < 4; round++) {
    await exchange();
    vi.advanceTimersByTime(LIMIT_MS - 1);
  }
  input.end();
  expect(await answers.next()).toEqual({ done: true, value: undefined });
  expect(vi.getTimerCount()).toBe(0);
});

test("sophia-run kills a git that writes nothing for as long as the limit, even if it has written before", async () => {
  const { answers, exchange } = startGit();
  await exchange();
  vi.advanceTimersByTime(LIMIT_MS - 1);
  await exchange();
  const next = answers.next();
  vi.advanceTimersByTime(LIMIT_MS);
  await expect(next).rejects.toMatchObject({ code: "git", message: expect.stringContaining("five minutes") });
});
