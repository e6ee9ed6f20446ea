/** Masking at the limits on descriptors, threads and processes: the limit is named, and nothing hangs. */
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noNobody } from "../../helpers/nobody.ts";
import { notLinux, notPackage, skipBecause } from "../../helpers/skip.ts";
import { copyOfPackage, folder, sophiaRun } from "../../helpers/sophia.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { outcome, SECRET } from "./masked.ts";

const CONTRACT = JSON.stringify({ variables: { QUIET_TOKEN: { required: true } } });

/** An unprivileged user, since the limit does not apply to root. */
const USER = 64_917;

// Other limits are reached first in the executable, whose runtime opens other files.
skipBecause(notLinux ?? notPackage);

/** The lowest limits on open files with which Node.js itself starts. */
function lowLimits(): readonly number[] {
  const starts = (limit: number): boolean =>
    spawnSync("bash", ["-c", `ulimit -n ${limit}; exec "$@"`, "bash", ...sophiaRun, "--version"]).status === 0;
  let lowest = 16;
  while (!starts(lowest) && lowest < 256) lowest += 1;
  return Array.from({ length: 13 }, (_, index) => lowest + index);
}

/** Returns the processes that have a variable. */
function processesWith(variable: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(variable);
    } catch {
      // Not a process, or it has ended.
      return false;
    }
  });
}

const LIMIT = /^(?:\S+: )?sophia-run: too many open files \(EMFILE\)/m;

describe("with few descriptors", () => {
  it("names the limit on open files, in pipes", { timeout: 60_000 }, async () => {
    const ends = await Promise.all(
      lowLimits().map((limit) => outcome(`ulimit -n ${limit}; exec $L sh -c 'echo $QUIET_TOKEN'`)),
    );
    const failed = ends.filter(({ status }) => status !== 0);
    expectWording(failed.find(({ stderr }) => stderr.includes("masked"))?.stderr ?? "");
    for (const { stderr } of failed) expect(stderr).toMatch(LIMIT);
    expect(ends.at(-1)).toMatchObject({ status: 0, stdout: "***\n" });
  });

  it("names it at a terminal, and leaves no process behind", { timeout: 60_000 }, async () => {
    const cwd = folder({ "sophia.contract.json": CONTRACT });
    const env = { PATH: process.env["PATH"] ?? "", QUIET_TOKEN: SECRET, TERM: "dumb", MARK: cwd };
    const ends = await Promise.all(
      lowLimits().map((limit) => {
        const program = [...sophiaRun, "--redact", "--", "sh", "-c", "echo $QUIET_TOKEN"];
        return startAtTerminal(["bash", "-c", `ulimit -n ${limit}; exec "$@"`, "bash", ...program], { cwd, env })
          .finished;
      }),
    );
    const failed = ends.filter(({ status }) => status !== 0);
    expect(failed.length).toBeGreaterThan(2);
    for (const { stdout } of failed) expect(stdout.replaceAll("\r", "")).toMatch(LIMIT);
    expect(ends.at(-1)).toMatchObject({ status: 0, stdout: "***\r\n" });
    expect(processesWith(`MARK=${cwd}`)).toEqual([]);
  });
});

describe("with no further thread", () => {
  skipBecause(noNobody);

  it("names the limit on processes", () => {
    const root = copyOfPackage();
    // Node.js has its own threads by then: without those it would not start.
    const preload = `require("node:child_process").spawnSync("prlimit", ["--pid", String(process.pid), "--nproc=1"])`;
    const cwd = folder({ "sophia.contract.json": CONTRACT, "preload.cjs": preload });
    for (const path of [root, cwd]) chmodSync(path, 0o755);
    const identity = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
    const own = [process.execPath, "--", join(root, "bin/sophia-run")];
    const { status, stdout, stderr } = spawnSync(
      "setpriv",
      [...identity, ...own, "--redact", "--", "sh", "-c", "echo started"],
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
