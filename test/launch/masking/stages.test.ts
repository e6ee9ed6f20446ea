/** The stages of masked output: which effects an event has in a state. */
import { describe, expect, it } from "vitest";
import { end, step, type EndEvent, type State, type StreamEvent } from "../../../src/launch/masking/output-stages.ts";

const [OUT, ERR] = [0, 1];
const PIPES: State = {
  streams: [
    { isStandardError: false, isTerminal: false },
    { isStandardError: true, isTerminal: false },
  ],
  open: new Set([OUT, ERR]),
  hasSession: false,
  mayRestart: false,
  reportsMasking: false,
  mayHandOver: true,
  isRestored: false,
  isOutputLost: false,
};
const ONE_TERMINAL: State = {
  ...PIPES,
  streams: [
    { isStandardError: false, isTerminal: true },
    { isStandardError: true, isTerminal: false },
  ],
};
const SESSION: State = {
  ...PIPES,
  streams: [{ isStandardError: true, isTerminal: true }],
  open: new Set([OUT]),
  hasSession: true,
};

/** Returns the kinds and fields of the effects as text. */
function describeEffects(effects: readonly object[]): string {
  return effects
    .map((effect) =>
      Object.values(effect)
        .flat()
        .filter((value) => value !== false)
        .join(" "),
    )
    .join(", ");
}

describe("an event of a stream", () => {
  it.each<readonly [string, State, StreamEvent, string]>([
    ["whose reader has ended", PIPES, { kind: "unread", stream: OUT }, "lose reader 0"],
    [
      "that is a terminal, whose reader has ended",
      ONE_TERMINAL,
      { kind: "unread", stream: OUT },
      "close terminal, lose reader 0",
    ],
    ["beside a terminal", ONE_TERMINAL, { kind: "unread", stream: ERR }, "lose reader 1"],
    ["that is the session's terminal", SESSION, { kind: "unread", stream: OUT }, "lose session"],
    [
      "that cannot be written",
      PIPES,
      { kind: "failed", stream: OUT, code: "ENOSPC" },
      "write the standard output cannot be written (ENOSPC)",
    ],
    ["that has no reader", PIPES, { kind: "failed", stream: OUT, code: "EPIPE" }, ""],
    [
      "that is the standard error and cannot be written",
      PIPES,
      { kind: "failed", stream: ERR, code: "ENOSPC" },
      "disable messages",
    ],
    [
      "that is a terminal and cannot be written",
      ONE_TERMINAL,
      { kind: "failed", stream: OUT, code: "EPIPE" },
      "close terminal",
    ],
    ["that ends", PIPES, { kind: "ended", stream: OUT }, "close target 0"],
    [
      "that is the standard error and ends last",
      { ...PIPES, open: new Set([ERR]) },
      { kind: "ended", stream: ERR },
      "close target 1",
    ],
    [
      "that is the standard error and ends while output may still be written",
      PIPES,
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "that is the standard error and ends while a notice about masking may follow",
      { ...PIPES, open: new Set([ERR]), reportsMasking: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "that is the standard error and ends while a restart may follow",
      { ...PIPES, open: new Set([ERR]), mayRestart: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "that is the standard output and ends while a restart may follow",
      { ...PIPES, mayRestart: true },
      { kind: "ended", stream: OUT },
      "close target 0",
    ],
  ])("%s has the right effects", (_, state, event, effects) => {
    expect(describeEffects(step(state, event)[1])).toBe(effects);
  });

  it("that is not its end leaves it open, even if it cannot be written", () => {
    const [failed] = step(PIPES, { kind: "failed", stream: ERR, code: "EPIPE" });
    const [ended] = step(failed, { kind: "ended", stream: ERR });
    expect([failed.open, ended.open]).toEqual([new Set([OUT, ERR]), new Set([OUT])]);
  });
});

const LAST_FINISH: EndEvent = { kind: "finish", isLast: true, wasKilled: false };
const RESTART_FINISH: EndEvent = { kind: "finish", isLast: false, wasKilled: true };
const drainedEvent = (...open: readonly number[]): EndEvent => ({ kind: "drained", open, wasKilled: true });

describe("the end", () => {
  it.each<readonly [string, State, EndEvent, string]>([
    ["of the last program", PIPES, LAST_FINISH, "drain"],
    ["of the last program in a session", SESSION, LAST_FINISH, "collect keys, drain"],
    ["of a program that is restarted", PIPES, RESTART_FINISH, "sync, finish messages, end terminal true"],
    [
      "of a program that is restarted in a session",
      SESSION,
      RESTART_FINISH,
      "collect keys, sync, flush 0, finish messages, end terminal true, restore session, close session",
    ],
    ["of streams without a writer", PIPES, drainedEvent(), "flush 0 1, finish messages, end terminal true"],
    ["of streams with a writer", PIPES, drainedEvent(ERR), "flush 0, finish messages, end terminal true, hand over 1"],
    [
      "of streams with a writer that cannot be handed over",
      { ...PIPES, mayHandOver: false },
      drainedEvent(ERR),
      "flush 0 1, finish messages, end terminal true",
    ],
    ["of a session", SESSION, drainedEvent(), "flush 0, finish messages, end terminal true, restore session"],
  ])("%s has the right effects", (_, state, event, effects) => {
    expect(describeEffects(end(state, event)[1])).toBe(effects);
  });

  it("restores the terminal once, even if background processes still write", () => {
    const [settled] = end(SESSION, RESTART_FINISH);
    expect(describeEffects(end(settled, LAST_FINISH)[1])).toBe("drain");
    expect(describeEffects(end(settled, drainedEvent(OUT))[1])).toBe(
      "flush, finish messages, end terminal true, hand over 0",
    );
  });
});
