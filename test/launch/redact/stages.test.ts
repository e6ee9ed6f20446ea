import { describe, expect, it } from "vitest";
import { end, step, type EndEvent, type State, type StreamEvent } from "../../../src/launch/redact/stages.ts";

const [OUT, ERR] = [0, 1];
const PIPES: State = {
  streams: [
    { isErrors: false, isTerminal: false },
    { isErrors: true, isTerminal: false },
  ],
  open: new Set([OUT, ERR]),
  hasSession: false,
  isRenewed: false,
  tellsMasking: false,
  mayHandOver: true,
  isSettled: false,
};
const PART: State = {
  ...PIPES,
  streams: [
    { isErrors: false, isTerminal: true },
    { isErrors: true, isTerminal: false },
  ],
};
const SESSION: State = {
  ...PIPES,
  streams: [{ isErrors: true, isTerminal: true }],
  open: new Set([OUT]),
  hasSession: true,
};

/** The kinds of the effects, with what else they say. */
function told(effects: readonly object[]): string {
  return effects
    .map((effect) =>
      Object.values(effect)
        .flat()
        .filter((value) => value !== false)
        .join(" "),
    )
    .join(", ");
}

describe("a stream", () => {
  it.each<readonly [string, State, StreamEvent, string]>([
    ["whose reader is gone", PIPES, { kind: "unread", stream: OUT }, "lose reader 0"],
    ["that is a terminal which is gone", PART, { kind: "unread", stream: OUT }, "close terminal, lose reader 0"],
    ["beside a terminal", PART, { kind: "unread", stream: ERR }, "lose reader 1"],
    ["that is the session's terminal", SESSION, { kind: "unread", stream: OUT }, "lose session"],
    [
      "that cannot be written",
      PIPES,
      { kind: "failed", stream: OUT, code: "ENOSPC" },
      "say the standard output cannot be written (ENOSPC)",
    ],
    ["that is not read", PIPES, { kind: "failed", stream: OUT, code: "EPIPE" }, ""],
    ["of errors that cannot be written", PIPES, { kind: "failed", stream: ERR, code: "ENOSPC" }, "mute"],
    [
      "that is a terminal and cannot be written",
      PART,
      { kind: "failed", stream: OUT, code: "EPIPE" },
      "close terminal",
    ],
    ["that ends", PIPES, { kind: "ended", stream: OUT }, "close target 0"],
    ["of errors that ends", PIPES, { kind: "ended", stream: ERR }, "close target 1"],
    [
      "of errors where masking may be told",
      { ...PIPES, tellsMasking: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "of errors where a restart may be told",
      { ...PIPES, isRenewed: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "of output where a restart may be told",
      { ...PIPES, isRenewed: true },
      { kind: "ended", stream: OUT },
      "close target 0",
    ],
  ])("%s", (_, state, event, effects) => {
    expect(told(step(state, event)[1])).toBe(effects);
  });

  it("is open until it ends", () => {
    const [failed] = step(PIPES, { kind: "failed", stream: ERR, code: "EPIPE" });
    const [ended] = step(failed, { kind: "ended", stream: ERR });
    expect([failed.open, ended.open]).toEqual([new Set([OUT, ERR]), new Set([OUT])]);
  });
});

const LAST: EndEvent = { kind: "finish", isLast: true, wasKilled: false };
const RENEWED: EndEvent = { kind: "finish", isLast: false, wasKilled: true };
const drained = (...left: readonly number[]): EndEvent => ({ kind: "drained", left, wasKilled: true });

describe("the end", () => {
  it.each<readonly [string, State, EndEvent, string]>([
    ["of the last program", PIPES, LAST, "drain"],
    ["of the last program in a session", SESSION, LAST, "collect keys, drain"],
    ["of one whose place another takes", PIPES, RENEWED, "settle, flush 0 1, last words, end terminal true"],
    [
      "of one in a session whose place another takes",
      SESSION,
      RENEWED,
      "collect keys, settle, flush 0, last words, end terminal true, restore session, close session",
    ],
    ["of streams with it", PIPES, drained(), "flush 0 1, last words, end terminal true"],
    ["of streams that go on", PIPES, drained(ERR), "flush 0, last words, end terminal true, hand over 1"],
    [
      "of streams that go on where no process can follow",
      { ...PIPES, mayHandOver: false },
      drained(ERR),
      "flush 0 1, last words, end terminal true",
    ],
    ["of a session", SESSION, drained(), "flush 0, last words, end terminal true, restore session"],
  ])("%s", (_, state, event, effects) => {
    expect(told(end(state, event)[1])).toBe(effects);
  });

  it("puts the terminal in order once, though background processes still write", () => {
    const [settled] = end(SESSION, RENEWED);
    expect(told(end(settled, LAST)[1])).toBe("drain");
    expect(told(end(settled, drained(OUT))[1])).toBe("flush, last words, end terminal true, hand over 0");
  });
});
