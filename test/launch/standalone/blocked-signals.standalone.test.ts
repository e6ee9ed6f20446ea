import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { notInstalled, notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";
import { executable, noExecutable } from "../../helpers/executables.ts";

/**
 * A caller that blocks all signals, as threads of supervisors do. The executable must start the program with the same blocked
 * signals.
 */
const CALLER = `import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])`;

/** Prints the signals that are blocked at its start, and unblocks all of them. */
const PROGRAM = `import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
signal.signal(signal.SIGRTMIN, lambda *_: sys.exit(8))
print(sorted(map(int, signal.pthread_sigmask(signal.SIG_SETMASK, []))), flush=True)
`;

/** SIGKILL and SIGSTOP cannot be blocked, and glibc keeps the first two real-time signals for itself. */
const BLOCKED = Array.from({ length: 64 }, (_, index) => index + 1).filter(
  (signal) => ![9, 19, 32, 33].includes(signal),
);

skipBecause(notLinux ?? noExecutable ?? notInstalled("python3", "--version"));

function startBlockedCaller(options: readonly string[], program: string, caller = CALLER) {
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { QUIET_TOKEN: {} } }) });
  const command = [executable, ...options, "--", "python3", "-c", PROGRAM + program];
  return spawn("python3", ["-c", caller, ...command], {
    cwd,
    env: { PATH: process.env["PATH"], QUIET_TOKEN: "a-quiet-token" },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
}

describe.each([
  ["exec", ["--mode", "exec"]],
  ["spawn", ["--mode", "spawn"]],
  ["redact", ["--redact"]],
] as const)("in mode %s, if the caller has blocked all signals,", (_, options) => {
  it("the program starts with all signals blocked, and gets a signal once it unblocks them", async () => {
    const child = startBlockedCaller(options, `while True: signal.pause()`);
    const end = once(child, "close");
    child.stdout.once("data", () => child.kill("SIGTERM"));
    const [output, [status]] = await Promise.all([text(child.stdout), end]);
    expect({ output, status }).toStrictEqual({ output: `[${BLOCKED.join(", ")}]\n`, status: 7 });
  });

  it("sophia-run dies of the signal of which the program died", async () => {
    const child = startBlockedCaller(options, `os.kill(os.getpid(), signal.SIGUSR1)`);
    child.stdout.resume();
    const [, signal] = await once(child, "close");
    expect(signal).toBe("SIGUSR1");
  });
});

describe.each([["exec"], ["spawn"]] as const)("in mode %s, if the caller has blocked SIGRTMIN,", (mode) => {
  // musl reserves the signal for itself, and unblocks it when a process sets its first handler.
  it("a pending SIGRTMIN does not end sophia-run, and the program gets it", async () => {
    const caller = CALLER.replace("os.execv", "os.kill(os.getpid(), signal.SIGRTMIN); os.execv");
    const child = startBlockedCaller(["--mode", mode], `while True: signal.pause()`, caller);
    child.stdout.resume();
    expect(await once(child, "close")).toStrictEqual([8, null]);
  });
});
