import { describe, expect, it } from "vitest";
import { end, step, type EndEvent, type State, type StreamEvent } from "../../../src/launch/masking/output-stages.ts";

const [OUT, ERR] = [0, 1];
const PIPES: State = {
  streams: [
    { isErrors: false, isTerminal: false },
    { isErrors: true, isTerminal: false },
  ],
  open: new Set([OUT, ERR]),
  hasSession: false,
  isRenewed: false,
  hasNotice: false,
  mayHandOver: true,
  isRestored: false,
  isIncomplete: false,
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

/** The kinds and fields of effects. */
function textOf(effects: readonly object[]): string {
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
    ["whose reader has ended", PIPES, { kind: "unread", stream: OUT }, "lose reader 0"],
    [
      "that is a terminal, whose reader has ended",
      PART,
      { kind: "unread", stream: OUT },
      "close terminal, lose reader 0",
    ],
    ["beside a terminal", PART, { kind: "unread", stream: ERR }, "lose reader 1"],
    ["that is the session's terminal", SESSION, { kind: "unread", stream: OUT }, "lose session"],
    [
      "that cannot be written",
      PIPES,
      { kind: "failed", stream: OUT, code: "ENOSPC" },
      "write the standard output cannot be written (ENOSPC)",
    ],
    ["without a reader", PIPES, { kind: "failed", stream: OUT, code: "EPIPE" }, ""],
    ["of errors that cannot be written", PIPES, { kind: "failed", stream: ERR, code: "ENOSPC" }, "disable messages"],
    [
      "that is a terminal and cannot be written",
      PART,
      { kind: "failed", stream: OUT, code: "EPIPE" },
      "close terminal",
    ],
    ["that ends", PIPES, { kind: "ended", stream: OUT }, "close target 0"],
    ["of errors that ends last", { ...PIPES, open: new Set([ERR]) }, { kind: "ended", stream: ERR }, "close target 1"],
    ["of errors, if output may still be written", PIPES, { kind: "ended", stream: ERR }, "close target 1 true"],
    [
      "of errors, if a notice about masking may follow",
      { ...PIPES, open: new Set([ERR]), hasNotice: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "of errors, if a restart may follow",
      { ...PIPES, open: new Set([ERR]), isRenewed: true },
      { kind: "ended", stream: ERR },
      "close target 1 true",
    ],
    [
      "of output, if a restart may follow",
      { ...PIPES, isRenewed: true },
      { kind: "ended", stream: OUT },
      "close target 0",
    ],
  ])("%s", (_, state, event, effects) => {
    expect(textOf(step(state, event)[1])).toBe(effects);
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
    ["of a program that is restarted", PIPES, RENEWED, "sync, finish messages, end terminal true"],
    [
      "of a program that is restarted in a session",
      SESSION,
      RENEWED,
      "collect keys, sync, flush 0, finish messages, end terminal true, restore session, close session",
    ],
    ["of streams without a writer", PIPES, drained(), "flush 0 1, finish messages, end terminal true"],
    ["of streams with a writer", PIPES, drained(ERR), "flush 0, finish messages, end terminal true, hand over 1"],
    [
      "of streams with a writer that cannot be handed over",
      { ...PIPES, mayHandOver: false },
      drained(ERR),
      "flush 0 1, finish messages, end terminal true",
    ],
    ["of a session", SESSION, drained(), "flush 0, finish messages, end terminal true, restore session"],
  ])("%s", (_, state, event, effects) => {
    expect(textOf(end(state, event)[1])).toBe(effects);
  });

  it("restores the terminal once, even if background processes still write", () => {
    const [settled] = end(SESSION, RENEWED);
    expect(textOf(end(settled, LAST)[1])).toBe("drain");
    expect(textOf(end(settled, drained(OUT))[1])).toBe("flush, finish messages, end terminal true, hand over 0");
  });
});
