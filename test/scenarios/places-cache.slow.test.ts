import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missingCommand, notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { isAlive, startProcess } from "../helpers/start-process.ts";

const root = join(import.meta.dirname, "../..");

/** Makes a part of a cache of its own by a shell command, whose last word is the path to fill. */
function runPart(cache: string, recipe: string, command: string, through: readonly string[] = []) {
  const script = `
    set -eu
    cache=$1/cache place=test
    not_run() { printf 'not run: %s\\n  %s\\n' "$1" "$2"; exit 2; }
    . ${root}/scripts/places/cache.sh
    part "$cache/part" "$2" "a moment" sh -euc "$3" sh
    echo "there: $(cat "$made/file")"
  `;
  const [file, ...args] = [...through, "sh", "-c", script, "sh", cache, recipe, command];
  return startProcess([file, ...args], {
    cwd: cache,
    env: { PATH: process.env["PATH"] ?? "" },
  });
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/** The name of the command that a process executes; empty if it has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

const FILL = 'mkdir "$1"; echo first >"$1/file"';
const MADE = "test: makes cache/part (a moment)\nthere: first\n";

describe("scripts/places/cache.sh", () => {
  const noNamespaces = notInstalled("unshare", "--mount", "--pid", "--fork", "--mount-proc", "true");
  skipBecause(notLinux ?? missingCommand("flock") ?? noNamespaces);

  test("makes a part once, and again if the recipe has changed", async () => {
    const cache = folder({ "cache/other": "" });
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
    expect(await runPart(cache, "one", "exit 1").finished).toMatchObject({ status: 0, stdout: "there: first\n" });
    const second = 'mkdir "$1"; echo second >"$1/file"';
    expect(await runPart(cache, "two", second).finished).toMatchObject({
      status: 0,
      stdout: MADE.replace("there: first", "there: second"),
    });
  });

  test.each([
    ["a file was changed", (made: string) => appendFileSync(join(made, "file"), "more")],
    ["a file was added", (made: string) => writeFileSync(join(made, "other"), "")],
  ])("says in one line how to make a damaged part again, and ends with status 2: %s", async (_, damage) => {
    const cache = folder({ "cache/other": "" });
    await runPart(cache, "one", FILL).finished;
    damage(join(cache, "cache/part"));
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({
      status: 2,
      stdout: "not run: cache/part is damaged\n  rm cache/part.made\n",
    });
    expect(await startProcess(["rm", "cache/part.made"], { cwd: cache, env: {} }).finished).toMatchObject({
      status: 0,
    });
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });

  test("keeps no part that fails, and says why in one line", async () => {
    const cache = folder({ "cache/other": "" });
    expect(await runPart(cache, "one", `${FILL}; echo no network; exit 7`).finished).toMatchObject({
      status: 2,
      stdout: expect.stringMatching(/\(a moment\)\nnot run: cache\/part could not be made: no network\n {2}see .*\n$/),
    });
    expect(existsSync(join(cache, "cache/part"))).toBe(false);
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });

  test("shows only the message of an error, not its stack", async () => {
    const cache = folder({ "cache/other": "" });
    const crash = `exec '${process.execPath}' -e 'require("child_process").execFileSync("false", ["x"])'`;
    expect(await runPart(cache, "one", crash).finished).toMatchObject({
      status: 2,
      stderr: "",
      stdout:
        "test: makes cache/part (a moment)\nnot run: cache/part could not be made: Error: Command failed: false x\n" +
        "  see cache/part.log, and check the network and the disk\n",
    });
  });

  test("replaces the rest of a part that was not finished", async () => {
    const cache = folder({ "cache/part.made": "", "cache/part/file": "old", "cache/part.new/file": "half" });
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
    expect(readdirSync(join(cache, "cache")).toSorted()).toEqual(["part", "part.lock", "part.made"]);
  });

  test("makes a second place wait for the first one that makes a part, and says so", async () => {
    const cache = folder({ "cache/other": "" });
    const first = runPart(cache, "one", `${FILL}; until [ -e "$1/go" ]; do sleep 0.05; done; rm "$1/go"`);
    await expect.poll(() => existsSync(join(cache, "cache/part.new/file"))).toBe(true);
    const [second, third] = [runPart(cache, "one", "exit 1"), runPart(cache, "one", "exit 1")];
    for (const each of [second, third])
      await each.waitForStdout(/^test: waits for another place that makes .*cache\/part$/m);
    // Only from then on does it end with the script.
    const waiting = () => childrenOf(third.pid).filter((pid) => commandOf(pid) === "flock");
    await expect.poll(waiting).toHaveLength(1);
    const children = waiting();
    process.kill(third.pid, "SIGKILL");
    for (const pid of children) await expect.poll(() => isAlive(pid)).toBe(false);
    writeFileSync(join(cache, "cache/part.new/go"), "");
    expect(await first.finished).toMatchObject({ status: 0, stdout: MADE });
    expect(await second.finished).toMatchObject({ status: 0, stdout: expect.stringMatching(/\nthere: first\n$/) });
  });

  test.each([
    ["has no room", "size=64k", /\nnot run: cache\/part could not be made\n {2}see cache\/part\.log, .*\n/],
    ["is read-only", "ro", /^not run: cache cannot be written\n {2}make room .*\n/],
  ])("ends with status 2 if the disk %s, and leaves nothing on it", async (_, option, expected) => {
    const cache = folder({ "cache/other": "" });
    const disk = `mount -t tmpfs -o ${option} tmpfs cache && "$@"; status=$?; ls cache; exit $status`;
    const fill = 'mkdir "$1"; head -c 1000000 /dev/zero >"$1/file"';
    const { status, stdout } = await runPart(cache, "one", fill, ["unshare", "--mount", "sh", "-c", disk, "sh"])
      .finished;
    expect(stdout).toMatch(expected);
    expect(stdout).not.toMatch(/^part(\.new|\.made)?$/m);
    expect(status).toBe(2);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("does not go on making it after %s", async (signal) => {
    const cache = folder({ "cache/other": "" });
    const making = runPart(cache, "one", `${FILL}; exec sleep 300`);
    await expect.poll(() => existsSync(join(cache, "cache/part.new/file"))).toBe(true);
    const makers = childrenOf(making.pid).flatMap((pid) => [pid, ...childrenOf(pid)]);
    expect(makers).toHaveLength(2);
    process.kill(making.pid, signal);
    for (const pid of makers) await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await runPart(cache, "one", FILL).finished).toMatchObject({ status: 0, stdout: MADE });
  });
});
