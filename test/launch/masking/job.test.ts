/** The state machine of a job whose output is masked: which effects an event has in a state. */
import { describe, expect, it } from "vitest";
import { begin, step, type Effect, type Event, type State } from "../../../src/launch/masking/job.ts";

const [NOT_STARTED] = begin(true);
const RUNNING: State = { ...NOT_STARTED, hasStarted: true };
const IN_BACKGROUND: State = { ...RUNNING, isForeground: false };
const HUNG_UP: State = { ...RUNNING, terminal: "hung up" };

const signalEvent = (name: NodeJS.Signals, isExpected = false): Event => ({ kind: "signal", signal: name, isExpected });
const awakeEvent = (name: NodeJS.Signals, isRefused: boolean, isOrphaned = false): Event => ({
  kind: "awake",
  signal: name,
  isRefused,
  isOrphaned,
});

/** Returns the kinds and fields of the effects as text. */
function describeEffects(effects: readonly Effect[]): string {
  return effects
    .map(({ kind, ...rest }) =>
      [
        kind,
        ...Object.entries(rest).flatMap(([name, value]) => (value === true ? [name] : value === false ? [] : [value])),
      ].join(" "),
    )
    .join(", ");
}

type StepCase = readonly [title: string, state: State, event: Event, isInFront: boolean, effects: string];

it("a job leaves the line ends to the user's terminal if it begins in the background", () => {
  expect([describeEffects(begin(true)[1]), describeEffects(begin(false)[1])]).toEqual([
    "",
    "leave foreground hasTerminal",
  ]);
});

describe.each<readonly [string, readonly StepCase[]]>([
  [
    "the start of the program",
    [
      ["in the foreground", NOT_STARTED, { kind: "executed" }, true, "read keys"],
      ["in the background", { ...NOT_STARTED, isForeground: false }, { kind: "executed" }, false, ""],
      [
        "in a job that has been put into the background meanwhile",
        NOT_STARTED,
        { kind: "executed" },
        false,
        "read keys, leave foreground hasTerminal, hold keys, continue",
      ],
      [
        "in a job that has been put into the foreground meanwhile",
        { ...NOT_STARTED, isForeground: false },
        { kind: "executed" },
        true,
        "enter foreground adoptsSettings, hold keys, continue isForeground",
      ],
    ],
  ],
  [
    "a signal",
    [
      ["that asks for the end", RUNNING, signalEvent("SIGTERM"), true, "forward SIGTERM, request stop"],
      ["that a key has caused", RUNNING, signalEvent("SIGINT", true), true, ""],
      ["of another kind", RUNNING, signalEvent("SIGUSR1"), true, "forward SIGUSR1"],
      ["about a new size of the terminal", RUNNING, signalEvent("SIGWINCH"), true, "resize SIGWINCH"],
      ["about a new size of a terminal that has hung up", HUNG_UP, signalEvent("SIGWINCH"), true, "forward SIGWINCH"],
      [
        "that continues a background job in the foreground",
        IN_BACKGROUND,
        signalEvent("SIGCONT"),
        true,
        "enter foreground adoptsSettings, hold keys, continue isForeground",
      ],
      [
        "that continues a foreground job in the foreground",
        RUNNING,
        signalEvent("SIGCONT"),
        true,
        "enter foreground, hold keys, continue isForeground",
      ],
      [
        "that continues a background job in the background",
        IN_BACKGROUND,
        signalEvent("SIGCONT"),
        false,
        "leave foreground hasTerminal, hold keys, continue",
      ],
      [
        "that continues the job before the program runs",
        NOT_STARTED,
        signalEvent("SIGCONT"),
        false,
        "leave foreground hasTerminal",
      ],
      ["that continues the job at the end of its own stop", RUNNING, signalEvent("SIGCONT", true), true, ""],
      [
        "that continues a job without a terminal",
        HUNG_UP,
        signalEvent("SIGCONT"),
        true,
        "hold keys, continue isForeground",
      ],
      [
        "that is SIGHUP because the terminal has hung up",
        RUNNING,
        { kind: "SIGHUP", hasTerminal: false },
        true,
        "hang up",
      ],
      ["that is SIGHUP from another process", RUNNING, { kind: "SIGHUP", hasTerminal: true }, true, "forward SIGHUP"],
      [
        "that is a second SIGHUP because the terminal has hung up",
        HUNG_UP,
        { kind: "SIGHUP", hasTerminal: false },
        true,
        "",
      ],
      [
        "that is SIGHUP after the terminal has been detached",
        { ...HUNG_UP, terminal: "detached" },
        { kind: "SIGHUP", hasTerminal: false },
        true,
        "forward SIGHUP",
      ],
    ],
  ],
  [
    "a write from the background",
    [
      [
        "of a program that ignores the signal",
        IN_BACKGROUND,
        { kind: "SIGTTOU", program: "ignores" },
        false,
        "ignore SIGTTOU",
      ],
      [
        "of a program that is stopped by the signal",
        IN_BACKGROUND,
        { kind: "SIGTTOU", program: "takes" },
        false,
        "forward SIGTTOU, accept SIGTTOU",
      ],
      [
        "of a program that handles the signal",
        IN_BACKGROUND,
        { kind: "SIGTTOU", program: "handles" },
        false,
        "forward SIGTTOU",
      ],
      [
        "for which another process has sent the signal to a foreground job",
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
      ["of a foreground job", RUNNING, { kind: "stopped", signal: "SIGTSTP" }, true, "show cannotStop SIGTSTP"],
      ["of a background job", IN_BACKGROUND, { kind: "stopped", signal: "SIGTTIN" }, false, "show SIGTTIN"],
      [
        "of a program that is being continued",
        { ...RUNNING, unansweredRequests: 1 },
        { kind: "stopped", signal: "SIGTSTP" },
        true,
        "",
      ],
      [
        "once the output has been shown",
        RUNNING,
        { kind: "shown", signal: "SIGTSTP" },
        true,
        "stop restoresTerminal SIGTSTP",
      ],
      [
        "once the output of a background job has been shown",
        IN_BACKGROUND,
        { kind: "shown", signal: "SIGTSTP" },
        false,
        "stop SIGTSTP",
      ],
      [
        "of a program that has ended",
        { ...RUNNING, end: { status: 0 } },
        { kind: "shown", signal: "SIGTSTP" },
        true,
        "",
      ],
      [
        "that SIGCONT ends",
        IN_BACKGROUND,
        awakeEvent("SIGTSTP", false),
        true,
        "enter foreground adoptsSettings, hold keys, continue isForeground",
      ],
      ["that the kernel refuses", IN_BACKGROUND, awakeEvent("SIGTSTP", true), false, "resume later"],
      [
        "for an access to the terminal, that the kernel refuses",
        IN_BACKGROUND,
        awakeEvent("SIGTTIN", true),
        false,
        "resume later",
      ],
      [
        "for an access to the terminal, that the kernel refuses to an orphaned group",
        IN_BACKGROUND,
        awakeEvent("SIGTTIN", true, true),
        false,
        "hang up",
      ],
      [
        "that the kernel refuses to an orphaned group",
        IN_BACKGROUND,
        awakeEvent("SIGTSTP", true, true),
        false,
        "resume later",
      ],
      [
        "that ends later",
        IN_BACKGROUND,
        { kind: "resumed" },
        false,
        "leave foreground hasTerminal, hold keys, continue",
      ],
      [
        "that ends without a signal",
        IN_BACKGROUND,
        { kind: "polled" },
        true,
        "enter foreground adoptsSettings, hold keys, continue isForeground",
      ],
      ["that does not end", IN_BACKGROUND, { kind: "polled" }, false, ""],
      [
        "that has ended for the program in the foreground",
        { ...RUNNING, unansweredRequests: 1 },
        { kind: "continued" },
        true,
        "read keys",
      ],
      [
        "that has ended for the program in the background",
        { ...IN_BACKGROUND, unansweredRequests: 1 },
        { kind: "continued" },
        false,
        "",
      ],
    ],
  ],
  [
    "the end",
    [
      ["of the reader of a foreground job", RUNNING, { kind: "unread" }, true, "hang up"],
      ["of the reader of a background job", IN_BACKGROUND, { kind: "unread" }, false, "hang up detaches"],
      ["of the terminal", IN_BACKGROUND, { kind: "terminal gone" }, false, "hang up"],
      ["of the terminal, reported again,", HUNG_UP, { kind: "terminal gone" }, false, ""],
      [
        "of a program by itself",
        { ...RUNNING, end: { status: 3 } },
        { kind: "finished" },
        true,
        "close keys, restore terminal keepsSettings returnsKeys, dismiss monitor",
      ],
      [
        "of a program by a signal",
        { ...RUNNING, end: { signal: 9 } },
        { kind: "finished" },
        true,
        "close keys, restore terminal returnsKeys, dismiss monitor",
      ],
      [
        "of a program whose job has just been put into the background",
        { ...RUNNING, end: { status: 0 } },
        { kind: "finished" },
        false,
        "close keys, restore terminal, dismiss monitor",
      ],
      [
        "of a program in the background",
        { ...IN_BACKGROUND, end: { status: 0 } },
        { kind: "finished" },
        false,
        "close keys, dismiss monitor",
      ],
      [
        "of a program without a terminal",
        { ...HUNG_UP, end: { status: 0 } },
        { kind: "finished" },
        true,
        "close keys, dismiss monitor",
      ],
    ],
  ],
])("%s", (_, rows) => {
  it.each(rows)("%s has the right effects", (__, state, event, isInFront, effects) => {
    expect(describeEffects(step(state, event, isInFront)[1])).toBe(effects);
  });
});

it("a job stops again only after the monitor has answered each request to continue", () => {
  const stop: Event = { kind: "stopped", signal: "SIGTSTP" };
  const events: readonly Event[] = [
    signalEvent("SIGCONT"),
    signalEvent("SIGCONT"),
    stop,
    { kind: "continued" },
    stop,
    { kind: "continued" },
    stop,
  ];
  let state = IN_BACKGROUND;
  const hasShown = events.map((event) => {
    const [next, effects] = step(state, event, true);
    state = next;
    return effects.some(({ kind }) => kind === "show");
  });
  expect(hasShown).toEqual([false, false, false, false, false, false, true]);
});

it("a job forwards a stop and keys only after the monitor has answered each request to continue", () => {
  const events: readonly Event[] = [
    signalEvent("SIGCONT"),
    signalEvent("SIGCONT"),
    signalEvent("SIGTSTP"),
    { kind: "continued" },
    { kind: "continued" },
    signalEvent("SIGTSTP"),
  ];
  let state = RUNNING;
  const performed = events.map((event) => {
    const [next, effects] = step(state, event, true);
    state = next;
    return describeEffects(effects);
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

it("a job discards a pending stop when SIGCONT arrives", () => {
  const waiting = { ...RUNNING, unansweredRequests: 1, pendingStop: "SIGTSTP" } as const;
  expect(step(waiting, signalEvent("SIGCONT"), true)[0].pendingStop).toBeUndefined();
});

it("a job leaves the terminal alone after the program's end", () => {
  const [finished] = step({ ...RUNNING, end: { status: 0 } }, { kind: "finished" }, true);
  expect(step(finished, signalEvent("SIGCONT"), true)).toEqual([finished, []]);
});

it("a job leaves the foreground when it stops", () => {
  expect(step(RUNNING, { kind: "shown", signal: "SIGTSTP" }, true)[0].isForeground).toBe(false);
});
