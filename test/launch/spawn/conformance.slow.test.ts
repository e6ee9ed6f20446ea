/**
 * Job control, forwarding, terminals and ends, on real processes and a real pseudo-terminal: cases of the conformance
 * suite, which starts a probe by sophia-run and knows from it what arrived. `test/conformance/README.md` says how;
 * `npm run conformance -- --list` says what each case shows.
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

/** Every signal that can be caught, but SIGCHLD, which is the launcher's own, and those of faults. */
const FORWARDED =
  "HUP INT QUIT TRAP ABRT USR1 USR2 PIPE ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
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
    ...named("stops-itself-by-*", "STOP TSTP TTIN TTOU"),
    "stopped-from-outside",
    "editor-style-stop",
    "editor-style-self-stop",
    "background-read",
    "background-write",
    "in-bash",
    "bash-inside",
  ],
  signals: [
    ...named("forward-*-once", FORWARDED),
    "order",
    "burst",
    "many",
    "no-escalation",
    "ignored-by-program",
    "by-kill",
    "not-to-the-group",
    "to-the-program",
    ...named("*-by-default", "TERM INT HUP USR1"),
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
    ...named("kill-*-in-foreground", "TERM USR1 USR2 HUP"),
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
    ...named("death-by-*", DEADLY),
    "killed-while-stopped",
    "after-exec",
  ],
  pid1: [
    ...named("death-by-*", "TERM KILL SEGV"),
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

/** A case's verdict, as `run.py --json` writes it. */
interface Verdict {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped" | "impossible";
  readonly message: string;
}

const missing = whatIsMissing();
const verdicts = new Map<string, Verdict>();

beforeEach(({ skip }) => skip(missing !== undefined, missing));

beforeAll(async () => {
  if (missing !== undefined) return;
  const place = mkdtempSync(join(tmpdir(), "sophia-run-conformance-"));
  const file = join(place, "verdicts.json");
  const launcher = [...sophiaRun, "--no-contract", "--mode", "spawn", "--"].map(shellQuoted).join(" ");
  const names = Object.entries(CASES).flatMap(([group, cases]) => cases.map((name) => `--only=${group}/${name}`));
  const args = [RUNNER, "--launcher", launcher, "--jobs", "4", "--json", file, ...names];
  // Its exit status is ignored, since each test checks its own verdict.
  await once(spawn("python3", args, { stdio: "ignore" }), "exit");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- run.py has this form
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as { readonly cases: readonly Verdict[] };
  for (const verdict of cases) verdicts.set(verdict.name, verdict);
  rmSync(place, { recursive: true });
}, 600_000);

describe.each(Object.entries(CASES))("%s", (group, names) => {
  test.for(names)("%s", (name, { skip }) => {
    const verdict = verdicts.get(`${group}/${name}`);
    skip(verdict?.outcome === "skipped", verdict?.message);
    // Bun has fewer signals than the system.
    skip(isStandalone && verdict?.outcome === "impossible", verdict?.message);
    expect(verdict).toMatchObject({ outcome: "passed", message: "" });
  });
});

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (spawnSync("sh", ["-c", "command -v gcc"]).status !== 0) return "needs gcc, which compiles the probe";
  const isNew = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).status === 0;
  return isNew ? undefined : "needs Python 3.11 or later";
}

function named(pattern: string, signals: string): readonly string[] {
  return signals.split(" ").map((signal) => pattern.replace("*", `SIG${signal}`));
}
