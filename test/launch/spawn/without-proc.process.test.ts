import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { forwardedSignals } from "../../../src/launch/spawn/forward-signals.ts";
import { readStateByPs, withoutProc } from "../../../src/launch/spawn/terminal.ts";

const SIGNALS = ["SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGTERM", "SIGPROF", "SIGINFO"] as const;

test("if the program's state cannot be read, sophia-run does not catch the signals that stop, so the kernel stops both processes", () => {
  expect(forwardedSignals(SIGNALS, { profiled: false, ignoresWriteSignals: false, hasProcessStates: false })).toEqual([
    "SIGTERM",
    "SIGPROF",
    "SIGINFO",
  ]);
  expect(forwardedSignals(SIGNALS, { profiled: true, ignoresWriteSignals: true, hasProcessStates: true })).toEqual(
    SIGNALS.filter((name) => name !== "SIGPROF"),
  );
});

test("sophia-run does not forward SIGPIPE and SIGXFSZ if they may come from its own writes", () => {
  const signals = ["SIGTERM", "SIGPIPE", "SIGXFSZ"] as const;
  expect(forwardedSignals(signals, { profiled: false, ignoresWriteSignals: true, hasProcessStates: true })).toEqual([
    "SIGTERM",
  ]);
  expect(forwardedSignals(signals, { profiled: false, ignoresWriteSignals: false, hasProcessStates: true })).toEqual(
    signals,
  );
});

test("readStateByPs returns the state of this process, without a header", ({ skip }) => {
  const { error } = spawnSync("/bin/ps");
  skip(error !== undefined, "needs /bin/ps");
  expect(readStateByPs()).toMatch(/^[DRS][+<LNls]*\n$/);
});

describe("sophia-run assumes that a key of the terminal has reached the program if this process is in the foreground", () => {
  test.each([
    ["S+", true, true],
    ["Ss+", false, true],
    ["S", true, false],
    [undefined, true, true],
    [undefined, false, false],
  ])("with state %s, attached %s", (state, attached, sendsKeys) => {
    const terminal = withoutProc(attached, () => state);
    expect([terminal.sendsKeys(), terminal.deliversToGroup()]).toEqual([sendsKeys, attached]);
  });
});

test("if the program's state cannot be read, each hangup is forwarded, since nothing shows that the terminal has sent it", () => {
  for (const hasTerminal of [true, false]) expect(withoutProc(hasTerminal, () => "S+").hungUp()).toBe(false);
});
