/** Secret files of ESC with the program under test: the package or the stand-alone executable. */
import { existsSync, readlinkSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { addSophiaEnvironment, escVariables, sentinelOf } from "../commands/sophia-environment.ts";
import { startEscServer } from "../esc-server/index.ts";
import { runProgram } from "../esc/run-program.ts";
import { findIsolation } from "../helpers/container.ts";
import { addon, folder, isStandalone, sophiaRun } from "../helpers/sophia.ts";
import { WAIT_FOR_MONITOR } from "../helpers/start-process.ts";

const reason = isStandalone || existsSync(addon) ? undefined : "needs the addon and the monitor";
beforeEach(({ skip }) => skip(process.platform !== "linux" || reason !== undefined, reason));

/** Starts a program in a mode, behind `prefix`, that prints its PID, its parent's, and its file's path and text. */
async function startProgram(mode: string, prefix: readonly string[], wait = "") {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const script = `file=$GOOGLE_APPLICATION_CREDENTIALS
    ${wait}
    echo "$$ $PPID $(cat /proc/$PPID/comm) $file"; stat -c %a "$file" "\${file%/*}"; cat "$file"; exit 7`;
  const words = [...prefix, ...sophiaRun, "--quiet", "--mode", mode, "--", "sh", "-c", script];
  const [file = "", ...args] = words;
  const finished = await runProgram([file, ...args], escVariables(server), folder());
  const [pids = "", ...rest] = finished.stdout.split("\n");
  const [program, parent, name, path = ""] = pids.split(" ");
  return { ...finished, program, parent, name, path, rest };
}

const EXPECTED = { status: 7, stderr: "", rest: ["600", "700", `{"key":"${sentinelOf("google")}"}`, ""] };

test("--mode auto lets the program replace sophia-run, and a secret file is removed when the program ends", async ({
  skip,
}) => {
  skip(readlinkSync("/proc/self/ns/pid") !== "pid:[4026531836]", "needs the first PID namespace");
  const result = await startProgram("auto", ["sh", "-c", 'echo $$ >&2; exec "$@"', "sh"]);
  expect({ ...result, stderr: "" }).toMatchObject(EXPECTED);
  expect(`${result.program}\n`).toBe(result.stderr);
  expect(await vi.waitUntil(() => !existsSync(result.path), { timeout: 30_000, interval: 1 })).toBe(true);
});

test("--mode spawn has the monitor remove a secret file before the monitor ends", async () => {
  const result = await startProgram("spawn", [], WAIT_FOR_MONITOR);
  expect(result).toMatchObject({ ...EXPECTED, name: "sophia-run" });
  expect(existsSync(result.path)).toBe(false);
});

test("in a container the monitor is PID 1, and removes a secret file before it ends", async ({ skip }) => {
  const isolation = findIsolation();
  skip("reason" in isolation, "needs a PID namespace");
  const result = await startProgram("auto", "prefix" in isolation ? isolation.prefix : [], WAIT_FOR_MONITOR);
  expect(result).toMatchObject({ ...EXPECTED, parent: "1", name: "sophia-run" });
  expect(existsSync(result.path)).toBe(false);
});
