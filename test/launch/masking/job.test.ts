import { describe, expect, it } from "vitest";
import { begin, step, type Effect, type Event, type State } from "../../../src/launch/masking/job.ts";

const [IN_FRONT] = begin(true);
const RUNNING: State = { ...IN_FRONT, hasStarted: true };
const BEHIND: State = { ...RUNNING, isForeground: false };
const GONE: State = { ...RUNNING, terminal: "hung up" };

const signal = (name: NodeJS.Signals, isExpected = false): Event => ({ kind: "signal", signal: name, isExpected });
const awake = (name: NodeJS.Signals, isRefused: boolean, isOrphaned = false): Event => ({
  kind: "awake",
  signal: name,
  isRefused,
  isOrphaned,
});

/** The kinds and fields of effects. */
function textOf(effects: readonly Effect[]): string {
  return effects
    .map(({ kind, ...rest }) =>
      [
        kind,
        ...Object.entries(rest).flatMap(([name, value]) => (value === true ? [name] : value === false ? [] : [value])),
      ].join(" "),
    )
    .join(", ");
}

type Row = readonly [title: string, state: State, event: Event, isInFront: boolean, effects: string];

it("leaves the line ends to the real terminal if it begins in the background", () => {
  expect([textOf(begin(true)[1]), textOf(begin(false)[1])]).toEqual(["", "leave foreground hasTerminal"]);
});

describe.each<readonly [string, readonly Row[]]>([
  [
    "the start",
    [
      ["in the foreground", IN_FRONT, { kind: "executed" }, true, "read keys"],
      ["in the background", { ...IN_FRONT, isForeground: false }, { kind: "executed" }, false, ""],
      [
        "put into the background meanwhile",
        IN_FRONT,
        { kind: "executed" },
        false,
        "read keys, leave foreground hasTerminal, hold keys, continue",
      ],
      [
        "put into the foreground meanwhile",
        { ...IN_FRONT, isForeground: false },
        { kind: "executed" },
        true,
        "enter foreground adopts, hold keys, continue isForeground",
      ],
    ],
  ],
  [
    "signals",
    [
      ["one that asks for the end", RUNNING, signal("SIGTERM"), true, "forward SIGTERM, request stop"],
      ["one that a key has caused", RUNNING, signal("SIGINT", true), true, ""],
      ["any other", RUNNING, signal("SIGUSR1"), true, "forward SIGUSR1"],
      ["a new size", RUNNING, signal("SIGWINCH"), true, "resize SIGWINCH"],
      ["a new size of a terminal that is gone", GONE, signal("SIGWINCH"), true, "forward SIGWINCH"],
      [
        "continued in the foreground",
        BEHIND,
        signal("SIGCONT"),
        true,
        "enter foreground adopts, hold keys, continue isForeground",
      ],
      [
        "continued in the foreground again",
        RUNNING,
        signal("SIGCONT"),
        true,
        "enter foreground, hold keys, continue isForeground",
      ],
      [
        "continued in the background",
        BEHIND,
        signal("SIGCONT"),
        false,
        "leave foreground hasTerminal, hold keys, continue",
      ],
      ["continued before the program runs", IN_FRONT, signal("SIGCONT"), false, "leave foreground hasTerminal"],
      ["continued by a stop's own signal", RUNNING, signal("SIGCONT", true), true, ""],
      ["continued without a terminal", GONE, signal("SIGCONT"), true, "hold keys, continue isForeground"],
      ["hung up", RUNNING, { kind: "SIGHUP", hasTerminal: false }, true, "hang up"],
      ["hung up by another process", RUNNING, { kind: "SIGHUP", hasTerminal: true }, true, "forward SIGHUP"],
      ["hung up after that", GONE, { kind: "SIGHUP", hasTerminal: false }, true, ""],
      [
        "hung up after it was detached",
        { ...GONE, terminal: "detached" },
        { kind: "SIGHUP", hasTerminal: false },
        true,
        "forward SIGHUP",
      ],
    ],
  ],
  [
    "writing from the background",
    [
      [
        "of a program that ignores the signal",
        BEHIND,
        { kind: "SIGTTOU", program: "ignores" },
        false,
        "ignore SIGTTOU",
      ],
      ["of one that takes it", BEHIND, { kind: "SIGTTOU", program: "takes" }, false, "forward SIGTTOU, accept SIGTTOU"],
      ["of one that handles it", BEHIND, { kind: "SIGTTOU", program: "handles" }, false, "forward SIGTTOU"],
      [
        "in the foreground, by another process",
        RUNNING,
        { kind: "SIGTTOU", program: "takes" },
        true,
        "forward SIGTTOU",
      ],
    ],
  ],
  [
    "a stop",
    [
      ["shows what was written", RUNNING, { kind: "stopped", signal: "SIGTSTP" }, true, "show certainly SIGTSTP"],
      ["in the background", BEHIND, { kind: "stopped", signal: "SIGTTIN" }, false, "show SIGTTIN"],
      [
        "of a program that is being continued, has no effect",
        { ...RUNNING, unanswered: 1 },
        { kind: "stopped", signal: "SIGTSTP" },
        true,
        "",
      ],
      ["stops the job", RUNNING, { kind: "shown", signal: "SIGTSTP" }, true, "stop restores SIGTSTP"],
      ["stops the job in the background", BEHIND, { kind: "shown", signal: "SIGTSTP" }, false, "stop SIGTSTP"],
      [
        "of a program that has ended, has no effect",
        { ...RUNNING, end: { status: 0 } },
        { kind: "shown", signal: "SIGTSTP" },
        true,
        "",
      ],
      [
        "ends by SIGCONT",
        BEHIND,
        awake("SIGTSTP", false),
        true,
        "enter foreground adopts, hold keys, continue isForeground",
      ],
      ["is refused by the kernel", BEHIND, awake("SIGTSTP", true), false, "resume later"],
      ["for an access is refused", BEHIND, awake("SIGTTIN", true), false, "resume later"],
      ["for an access is refused to an orphaned group", BEHIND, awake("SIGTTIN", true, true), false, "hang up"],
      ["is refused to an orphaned group", BEHIND, awake("SIGTSTP", true, true), false, "resume later"],
      ["ends later", BEHIND, { kind: "resumed" }, false, "leave foreground hasTerminal, hold keys, continue"],
      [
        "ends without a signal",
        BEHIND,
        { kind: "polled" },
        true,
        "enter foreground adopts, hold keys, continue isForeground",
      ],
      ["does not end", BEHIND, { kind: "polled" }, false, ""],
      [
        "ends for the program in the foreground",
        { ...RUNNING, unanswered: 1 },
        { kind: "continued" },
        true,
        "read keys",
      ],
      ["ends for the program in the background", { ...BEHIND, unanswered: 1 }, { kind: "continued" }, false, ""],
    ],
  ],
  [
    "the end",
    [
      ["of the reader, in the foreground", RUNNING, { kind: "unread" }, true, "hang up"],
      ["of the reader, in the background", BEHIND, { kind: "unread" }, false, "hang up detaches"],
      ["of the terminal", BEHIND, { kind: "terminal gone" }, false, "hang up"],
      ["of the terminal, again", GONE, { kind: "terminal gone" }, false, ""],
      [
        "of a program by itself",
        { ...RUNNING, end: { status: 3 } },
        { kind: "finished" },
        true,
        "close keys, restore terminal left returnsKeys, dismiss monitor",
      ],
      [
        "of a program by a signal",
        { ...RUNNING, end: { signal: 9 } },
        { kind: "finished" },
        true,
        "close keys, restore terminal returnsKeys, dismiss monitor",
      ],
      [
        "just put into the background",
        { ...RUNNING, end: { status: 0 } },
        { kind: "finished" },
        false,
        "close keys, restore terminal, dismiss monitor",
      ],
      [
        "in the background",
        { ...BEHIND, end: { status: 0 } },
        { kind: "finished" },
        false,
        "close keys, dismiss monitor",
      ],
      [
        "without a terminal",
        { ...GONE, end: { status: 0 } },
        { kind: "finished" },
        true,
        "close keys, dismiss monitor",
      ],
    ],
  ],
])("%s", (_, rows) => {
  it.each(rows)("%s", (__, state, event, isInFront, effects) => {
    expect(textOf(step(state, event, isInFront)[1])).toBe(effects);
  });
});

it("stops again only after the monitor has answered each request to continue", () => {
  const stop: Event = { kind: "stopped", signal: "SIGTSTP" };
  const events: readonly Event[] = [
    signal("SIGCONT"),
    signal("SIGCONT"),
    stop,
    { kind: "continued" },
    stop,
    { kind: "continued" },
    stop,
  ];
  let state = BEHIND;
  const shown = events.map((event) => {
    const [next, effects] = step(state, event, true);
    state = next;
    return effects.some(({ kind }) => kind === "show");
  });
  expect(shown).toEqual([false, false, false, false, false, false, true]);
});

it("forwards a stop and keys only after the monitor has answered each request to continue", () => {
  const events: readonly Event[] = [
    signal("SIGCONT"),
    signal("SIGCONT"),
    signal("SIGTSTP"),
    { kind: "continued" },
    { kind: "continued" },
    signal("SIGTSTP"),
  ];
  let state = RUNNING;
  const performed = events.map((event) => {
    const [next, effects] = step(state, event, true);
    state = next;
    return textOf(effects);
  });
  expect(performed).toEqual([
    "enter foreground, hold keys, continue isForeground",
    "enter foreground, hold keys, continue isForeground",
    "",
    "",
    "forward SIGTSTP, read keys",
    "forward SIGTSTP",
  ]);
});

it("discards a stop that waits when SIGCONT comes", () => {
  const waiting = { ...RUNNING, unanswered: 1, pendingStop: "SIGTSTP" } as const;
  expect(step(waiting, signal("SIGCONT"), true)[0].pendingStop).toBeUndefined();
});

it("leaves the terminal alone after the end", () => {
  const [finished] = step({ ...RUNNING, end: { status: 0 } }, { kind: "finished" }, true);
  expect(step(finished, signal("SIGCONT"), true)).toEqual([finished, []]);
});

it("leaves the foreground with a stop", () => {
  expect(step(RUNNING, { kind: "shown", signal: "SIGTSTP" }, true)[0].isForeground).toBe(false);
});
