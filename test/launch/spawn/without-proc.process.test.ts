import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { forwardedSignals } from "../../../src/launch/spawn/forward-signals.ts";
import { readStateByPs, withoutProc } from "../../../src/launch/spawn/terminal.ts";

const ALL = ["SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGTERM", "SIGPROF", "SIGINFO"] as const;

test("without the program's state no listener takes a stop, and the kernel stops both", () => {
  expect(forwardedSignals(ALL, { profiled: false, writesAlone: false, hasProcessStates: false })).toEqual([
    "SIGTERM",
    "SIGPROF",
    "SIGINFO",
  ]);
  expect(forwardedSignals(ALL, { profiled: true, writesAlone: true, hasProcessStates: true })).toEqual(
    ALL.filter((name) => name !== "SIGPROF"),
  );
});

test("signals of own writes are left to Node.js, which ignores them, where they cannot be told from others", () => {
  const signals = ["SIGTERM", "SIGPIPE", "SIGXFSZ"] as const;
  expect(forwardedSignals(signals, { profiled: false, writesAlone: true, hasProcessStates: true })).toEqual([
    "SIGTERM",
  ]);
  expect(forwardedSignals(signals, { profiled: false, writesAlone: false, hasProcessStates: true })).toEqual(signals);
});

test("the state of this process alone is read, without a header", ({ skip }) => {
  const { error } = spawnSync("/bin/ps");
  skip(error !== undefined, "needs /bin/ps");
  expect(readStateByPs()).toMatch(/^[DRS][+<LNls]*\n$/);
});

describe("a key of the terminal has reached the program if this process is in the foreground", () => {
  test.each([
    ["S+", true, true],
    ["Ss+", false, true],
    ["S", true, false],
    [undefined, true, true],
    [undefined, false, false],
  ])("state %s, attached %s", (state, attached, sendsKeys) => {
    const terminal = withoutProc(attached, () => state);
    expect([terminal.sendsKeys(), terminal.deliversToGroup()]).toEqual([sendsKeys, attached]);
  });
});
