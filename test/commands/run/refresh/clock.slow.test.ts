/** Renewals by a process whose system clock is set back while it runs. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sophiaRun } from "../../../helpers/program.ts";
import { notInstalled, notPreloadable, skipBecause } from "../../../helpers/skip.ts";
import { startProcess } from "../../../helpers/start-process.ts";
import { startCloudsWorld, VARIABLES } from "./clouds-world.ts";

describe("a system clock that is set back by an hour", () => {
  skipBecause(notPreloadable ?? notInstalled("cc", "--version"));

  test("does not delay a renewal, nor make later tokens live longer", async () => {
    const refreshScene = await startCloudsWorld({ lifeMs: 8000, variables: VARIABLES.GOOGLE });
    const library = join(refreshScene.cwd, "clock.so");
    const source = join(import.meta.dirname, "clock-set-back.c");
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"], { stdio: "inherit" });
    const mark = join(refreshScene.cwd, "set-back");
    const now = join(refreshScene.cwd, "now");
    // The program sees the same clock, and writes the time of it.
    const program = `
      const note = () => require("node:fs").writeFileSync(${JSON.stringify(now)}, String(Date.now()));
      note(); console.log("runs"); setInterval(note, 100); process.on("SIGTERM", () => process.exit(0));`;
    const log = join(refreshScene.cwd, "log");
    const words = [...sophiaRun, "--refresh", "--audit-log", log, "--", process.execPath, "-e", program];
    const env = { ...refreshScene.env, LD_PRELOAD: library, CLOCK_SET_BACK: mark };
    const started = startProcess([words[0] ?? "", ...words.slice(1)], { cwd: refreshScene.cwd, env });
    await started.waitForStdout(/runs/);
    const before = Number(readFileSync(now, "utf8"));
    writeFileSync(mark, "");
    await expect.poll(() => Number(readFileSync(now, "utf8"))).toBeLessThan(before - 3_000_000);
    const renewals = (): number => readFileSync(log, "utf8").match(/"event":"renewal"/g)?.length ?? 0;
    // By the clock that was set back, the first token would be renewed in an hour, and the second one would live for an hour.
    await expect.poll(renewals, { timeout: 30_000 }).toBe(2);
    process.kill(started.pid, "SIGTERM");
    expect((await started.finished).stderr).not.toMatch(/cannot be renewed/);
  }, 60_000);
});
