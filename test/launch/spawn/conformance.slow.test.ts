/**
 * Job control, forwarding of signals, terminals and exit statuses in spawn mode, on real processes and a real pseudo-terminal.
 * The tests are cases of the conformance suite, which has sophia-run start a probe that reports which signals it got.
 * `test/conformance/README.md` describes the suite, and `npm run conformance -- --list` prints what each case shows.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shellQuoted } from "../../../src/core/shell.ts";
import { isStandalone, sophiaRun } from "../../helpers/sophia.ts";

const RUNNER = join(import.meta.dirname, "../../conformance/run.py");

/** Every signal that can be caught, except SIGCHLD, which the launcher uses itself, and the signals of faults. */
const FORWARDED =
  "HUP INT QUIT TRAP ABRT USR1 USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
/** The signals that end a process by default. */
const DEADLY = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM XCPU XFSZ VTALRM PROF IO SYS";

const CASES: Readonly<Record<string, readonly string[]>> = {
  jobcontrol: [
    "ctrl-z",
    "ctrl-z-fg-three-times",
    "continued",
    "fg-then-ctrl-c",
    "bg-then-fg",
    "continue-launcher-alone",
    "one-continue",
    "kill-stop-in-background",
    "launcher-stopped-and-continued",
    "continue-while-running",
    "terminate-while-stopped",
    "grandchild-stops",
    "self-stop-without-terminal",
    "program-catches-stop",
    "program-ignores-stop",
    ...namesForSignals("stops-itself-by-*", "STOP TSTP TTIN TTOU"),
    "stopped-from-outside",
    "editor-style-stop",
    "editor-style-self-stop",
    "background-read",
    "background-write",
    "in-bash",
    "bash-inside",
  ],
  signals: [
    ...namesForSignals("forward-*-once", FORWARDED),
    "order",
    "burst",
    "many",
    "no-escalation",
    "ignored-by-program",
    "by-kill",
    "not-to-the-group",
    "to-the-program",
    ...namesForSignals("*-by-default", "TERM INT HUP USR1"),
    "catch-then-die",
    "none-ignored",
  ],
  terminal: [
    ...["ctrl-c", "ctrl-backslash", "resize"].flatMap((event) => [`${event}-once-leader`, `${event}-once-job`]),
    "ctrl-c-five-times",
    "ctrl-c-kills",
    "ctrl-c-ignored",
    "ctrl-c-then-own-exit",
    "ctrl-c-redirected",
    "ctrl-c-in-script",
    "other-terminal",
    ...namesForSignals("kill-*-in-foreground", "TERM USR1 USR2 HUP"),
    "kill-SIGINT-in-background",
    "background-then-foreground",
    "stty-persists",
    "hang-up-leader-once",
    "hang-up-leader-kills",
    "hang-up-job-once",
    "hang-up-job-kills",
    "hang-up-survived",
  ],
  status: [
    "exit-0",
    "exit-1",
    "exit-130",
    "exit-255",
    ...namesForSignals("death-by-*", DEADLY),
    "killed-while-stopped",
    "after-exec",
  ],
  pid1: [
    ...namesForSignals("death-by-*", "TERM KILL SEGV"),
    "stop",
    "forward",
    "graceful-stop",
    "orphan-reaped",
    "ctrl-c-once",
    "hang-up",
  ],
  grandchildren: ["not-waited-for", "not-killed", "many"],
  stdio: ["not-read-ahead", "input-closed-by-program", "stdout-closed-by-program", "reader-goes-away", "all-closed"],
};

/** The verdict on a case, as `run.py --json` writes it. */
interface Verdict {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped" | "impossible";
  readonly message: string;
}

const skipReason = findMissingRequirement();
const verdicts = new Map<string, Verdict>();

beforeEach(({ skip }) => skip(skipReason !== undefined, skipReason));

beforeAll(async () => {
  if (skipReason !== undefined) return;
  const resultFolder = mkdtempSync(join(tmpdir(), "sophia-run-conformance-"));
  const file = join(resultFolder, "verdicts.json");
  const launcher = [...sophiaRun, "--no-contract", "--mode", "spawn", "--"].map(shellQuoted).join(" ");
  const names = Object.entries(CASES).flatMap(([group, cases]) => cases.map((name) => `--only=${group}/${name}`));
  const args = [RUNNER, "--launcher", launcher, "--jobs", "4", "--json", file, ...names];
  // The exit status of the suite is ignored, since each test checks the verdict on its case.
  await once(spawn("python3", args, { stdio: "ignore" }), "exit");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run.py writes this form
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as { readonly cases: readonly Verdict[] };
  for (const verdict of cases) verdicts.set(verdict.name, verdict);
  rmSync(resultFolder, { recursive: true });
}, 600_000);

describe.each(Object.entries(CASES))("the launcher passes the conformance suite's group %s", (group, names) => {
  test.for(names)("in the case %s", (name, { skip }) => {
    const verdict = verdicts.get(`${group}/${name}`);
    skip(verdict?.outcome === "skipped", verdict?.message);
    // Bun has fewer signals than the system.
    skip(isStandalone && verdict?.outcome === "impossible", verdict?.message);
    expect(verdict).toMatchObject({ outcome: "passed", message: "" });
  });
});

function findMissingRequirement(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (spawnSync("sh", ["-c", "command -v gcc"]).status !== 0) return "needs gcc, which compiles the probe";
  const isNew = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).status === 0;
  return isNew ? undefined : "needs Python 3.11 or later";
}

/** Returns the pattern once for each signal, with `*` replaced by the signal's name. */
function namesForSignals(pattern: string, signals: string): readonly string[] {
  return signals.split(" ").map((signal) => pattern.replace("*", `SIG${signal}`));
}
