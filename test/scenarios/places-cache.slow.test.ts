import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { isAlive, start } from "../helpers/started.ts";

const root = join(import.meta.dirname, "../..");

/** Makes a part of a cache of its own by a shell command, whose last word is the path to fill. */
function part(cache: string, recipe: string, command: string) {
  const script = `
    set -eu
    cache=$1/cache place=test
    not_run() { printf 'not run: %s\\n  %s\\n' "$1" "$2"; exit 2; }
    . ${root}/scripts/places/cache.sh
    part "$cache/part" "$2" "a moment" sh -euc "$3" sh
    echo "there: $(cat "$made/file")"
  `;
  return start(["sh", "-c", script, "sh", cache, recipe, command], {
    cwd: cache,
    env: { PATH: process.env["PATH"] ?? "" },
  });
}

const FILL = 'mkdir "$1"; echo first >"$1/file"';
const MADE = "test: makes cache/part (a moment)\nthere: first\n";

describe("scripts/places/cache.sh", () => {
  skipBecause(notLinux ?? notInstalled("unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"));

  test("makes a part once, and again with another recipe", async () => {
    const cache = folder({ "cache/other": "" });
    expect(await part(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
    expect(await part(cache, "one", "exit 1").finished).toMatchObject({ status: 0, stdout: "there: first\n" });
    const second = 'mkdir "$1"; echo second >"$1/file"';
    expect(await part(cache, "two", second).finished).toMatchObject({
      status: 0,
      stdout: MADE.replace("there: first", "there: second"),
    });
  });

  test.each([
    ["a file was changed", (made: string) => appendFileSync(join(made, "file"), "more")],
    ["a file was added", (made: string) => writeFileSync(join(made, "other"), "")],
  ])("says in one line how to make a damaged part again, and ends with status 2: %s", async (_, damage) => {
    const cache = folder({ "cache/other": "" });
    await part(cache, "one", FILL).finished;
    damage(join(cache, "cache/part"));
    expect(await part(cache, "one", FILL).finished).toMatchObject({
      status: 2,
      stdout: "not run: cache/part is damaged\n  rm cache/part.made\n",
    });
    expect(await start(["rm", "cache/part.made"], { cwd: cache, env: {} }).finished).toMatchObject({ status: 0 });
    expect(await part(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });

  test("a part that fails is none, and its last lines are shown", async () => {
    const cache = folder({ "cache/other": "" });
    expect(await part(cache, "one", `${FILL}; echo no network; exit 7`).finished).toMatchObject({
      status: 2,
      stdout: expect.stringMatching(/\(a moment\)\nno network\nnot run: cache\/part could not be made\n/),
    });
    expect(existsSync(join(cache, "cache/part"))).toBe(false);
    expect(await part(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("after %s nothing goes on to make it", async (signal) => {
    const cache = folder({ "cache/other": "" });
    const making = part(cache, "one", `${FILL}; exec sleep 300`);
    await expect.poll(() => existsSync(join(cache, "cache/part.new/file"))).toBe(true);
    const children = (pid: number): readonly number[] =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    const makers = children(making.pid).flatMap((pid) => [pid, ...children(pid)]);
    expect(makers).toHaveLength(2);
    process.kill(making.pid, signal);
    for (const pid of makers) await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await part(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });
});
