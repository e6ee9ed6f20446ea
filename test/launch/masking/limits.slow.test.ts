/** Masking at the limits on descriptors, threads and processes: the message names the limit, and no process hangs. */
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noNobody } from "../../helpers/nobody.ts";
import { notLinux, notPackage, skipBecause } from "../../helpers/skip.ts";
import { copyPackage, folder, sophiaRun } from "../../helpers/sophia.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { runBash, SECRET } from "./masked-process.ts";

const CONTRACT = JSON.stringify({ variables: { QUIET_TOKEN: { required: true } } });

/** The ID of an unprivileged user. The limit on processes does not apply to root. */
const USER = 64_917;

// The executable reaches the limit elsewhere, since its runtime opens other files.
skipBecause(notLinux ?? notPackage);

/** Returns the lowest limit on open files with which Node.js itself starts, and the next twelve. */
function findLowLimits(): readonly number[] {
  const starts = (limit: number): boolean =>
    spawnSync("bash", ["-c", `ulimit -n ${limit}; exec "$@"`, "bash", ...sophiaRun, "--version"]).status === 0;
  let lowest = 16;
  while (!starts(lowest) && lowest < 256) lowest += 1;
  return Array.from({ length: 13 }, (_, index) => lowest + index);
}

/** Returns the PIDs of the processes whose environment has the variable (`NAME=value`). */
function listProcessesWith(variable: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(variable);
    } catch {
      // The entry is not a process, or the process has ended.
      return false;
    }
  });
}

const LIMIT = /^(?:\S+: )?sophia-run: too many open files \(EMFILE\)/m;

describe("if sophia-run gets too few descriptors to mask the output,", () => {
  it("its message names the limit on open files, with pipes", { timeout: 60_000 }, async () => {
    const results = await Promise.all(
      findLowLimits().map((limit) => runBash(`ulimit -n ${limit}; exec $L sh -c 'echo $QUIET_TOKEN'`)),
    );
    const failed = results.filter(({ status }) => status !== 0);
    expectWording(failed.find(({ stderr }) => stderr.includes("masked"))?.stderr ?? "");
    for (const { stderr } of failed) expect(stderr).toMatch(LIMIT);
    expect(results.at(-1)).toMatchObject({ status: 0, stdout: "***\n" });
  });

  it("its message names the limit at a terminal, and no process is left", { timeout: 60_000 }, async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { PATH: process.env["PATH"] ?? "", QUIET_TOKEN: SECRET, TERM: "dumb", MARK: cwd };
    const ends = await Promise.all(
      findLowLimits().map((limit) => {
        const program = [...sophiaRun, "--redact", "--", "sh", "-c", "echo $QUIET_TOKEN"];
        return startAtTerminal(["bash", "-c", `ulimit -n ${limit}; exec "$@"`, "bash", ...program], { cwd, env })
          .finished;
      }),
    );
    const failed = ends.filter(({ status }) => status !== 0);
    expect(failed.length).toBeGreaterThan(2);
    for (const { stdout } of failed) expect(stdout.replaceAll("\r", "")).toMatch(LIMIT);
    expect(ends.at(-1)).toMatchObject({ status: 0, stdout: "***\r\n" });
    expect(listProcessesWith(`MARK=${cwd}`)).toEqual([]);
  });
});

describe("if sophia-run gets no further thread,", () => {
  skipBecause(noNobody);

  it("its message names the limit on processes", () => {
    const root = copyPackage();
    // The limit is set once Node.js has started its threads, without which Node.js would not start.
    const preload = `require("node:child_process").spawnSync("prlimit", ["--pid", String(process.pid), "--nproc=1"])`;
    const cwd = folder({ "sophia.contract.json": CONTRACT, "preload.cjs": preload });
    for (const path of [root, cwd]) chmodSync(path, 0o755);
    const identity = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
    const launcherCommand = [process.execPath, "--", join(root, "bin/sophia-run")];
    const { status, stdout, stderr } = spawnSync(
      "setpriv",
      [...identity, ...launcherCommand, "--redact", "--", "sh", "-c", "echo started"],
      {
        cwd,
        env: { PATH: process.env["PATH"], QUIET_TOKEN: SECRET, NODE_OPTIONS: `--require=${join(cwd, "preload.cjs")}` },
        encoding: "utf8",
        timeout: 10_000,
      },
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toContain("ulimit -u");
    expectWording(stderr);
  });
});
