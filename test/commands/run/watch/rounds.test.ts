import { describe, expect, it } from "vitest";
import {
  beginRounds,
  nextStep,
  type RoundAction,
  type RoundEvent,
  type RoundMessage,
  type WatchState,
} from "../../../../src/commands/run/watch/rounds.ts";
import type { Digests } from "../../../../src/commands/run/watch/digests.ts";
import type { ChangeReport, KnownEnvironments } from "../../../../src/esc/api/detect-changes.ts";
import { findAccessSettings } from "../../../../src/esc/settings/access-settings.ts";
import { parseFullName } from "../../../../src/esc/settings/environment-names.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { requireEscSettings } from "../../../esc/esc-settings.ts";

const MINUTE = 60_000;
const TIMING = { random: 0, pollingIntervalMs: 1000, sessionMs: 60 * MINUTE };

type Values = Readonly<Record<string, string>>;

const digests = (values: Values, keys: Values = {}, renewed: readonly string[] = []): Digests => ({
  program: new Map(Object.entries(values)),
  brokered: new Map(Object.entries(keys)),
  renewed: new Set(renewed),
});
const ENV = "acme/app/dev";
const SEEN: KnownEnvironments["seen"] = new Map([
  [ENV, { name: parseFullName(ENV, undefined), etag: "1", imports: [], hasHiddenImports: false }],
]);
const VISIBLE: KnownEnvironments = { seen: SEEN, hidden: new Set() };
const HIDDEN: KnownEnvironments = { seen: new Map(), hidden: new Set([ENV]) };

const { access } = findAccessSettings(
  new Map([
    ["ESC_TOKEN", "pul-x"],
    ["ESC_ENV", ENV],
  ]),
  [],
  {
    timeoutMs: 5000,
    insecureHttp: false,
  },
);
const settings = requireEscSettings(access);

const lookedEvent = (
  known: KnownEnvironments,
  hasChanged: boolean,
  lost: Readonly<Record<string, number>> = {},
): RoundEvent<string> => {
  const look: ChangeReport = { kind: "seen", known, hasChanged, lost: new Map(Object.entries(lost)), settings };
  return { kind: "looked", look };
};
const openedEvent = (values: Values, keys?: Values): RoundEvent<string> => {
  return { kind: "opened", values: { kind: "ready", digests: digests(values, keys), renewal: "renewal" } };
};
const CHANGE = lookedEvent(VISIBLE, true);
const downEvent = (retryAfterMs: number): RoundEvent<string> => {
  const failure = { code: "esc-answer", message: "no answer" } as const;
  return { kind: "looked", look: { kind: "unavailable", failure, blames: "service", retryAfterMs } };
};
const WOKEN: RoundEvent<string> = { kind: "woken", isEarly: false };
const EARLY: RoundEvent<string> = { kind: "woken", isEarly: true };
const SWAPPED: RoundEvent<string> = { kind: "swapped", refusal: undefined };
const RESTARTED: RoundEvent<string> = { kind: "restarted", refusal: undefined };

const STARTED = beginRounds(digests({ KEY: "one", AWS: "a" }), { ...TIMING, now: 0 }).state;
const STEADY: WatchState = { ...STARTED, known: VISIBLE };

/** Applies events, all at the same time. */
function passThrough(state: WatchState, events: readonly RoundEvent<string>[], now = 1000) {
  const actions: RoundAction<string>[] = [];
  const messages: RoundMessage[] = [];
  let current = state;
  for (const event of events) {
    const next = nextStep(current, event, { ...TIMING, now });
    current = next.state;
    actions.push(next.action);
    messages.push(...next.messages);
  }
  return { state: current, kinds: actions.map(({ kind }) => kind).join(" "), last: actions.at(-1), messages };
}

describe("a round of --watch", () => {
  it.each<readonly [string, WatchState, readonly RoundEvent<string>[], string]>([
    [
      "the first look opens, and opens again if a value differs",
      STARTED,
      [WOKEN, lookedEvent(VISIBLE, true), openedEvent({ KEY: "one", AWS: "b" }), openedEvent({ KEY: "one", AWS: "c" })],
      "look open open wait",
    ],
    ["nothing has changed", STEADY, [WOKEN, lookedEvent(VISIBLE, false)], "look wait"],
    [
      "a revision has changed, and no value",
      STEADY,
      [WOKEN, lookedEvent(VISIBLE, true), openedEvent({ KEY: "one", AWS: "a" })],
      "look open wait",
    ],
    [
      "a value has changed",
      STEADY,
      [
        WOKEN,
        lookedEvent(VISIBLE, true),
        openedEvent({ KEY: "two", AWS: "b" }),
        openedEvent({ KEY: "two", AWS: "c" }),
        RESTARTED,
      ],
      "look open open restart wait",
    ],
    [
      "values of providers are known to differ",
      { ...STEADY, volatileNames: new Set(["AWS"]) },
      [WOKEN, lookedEvent(VISIBLE, true)],
      "look open",
    ],
    ["nothing is visible, and nothing is due", { ...STARTED, known: HIDDEN }, [WOKEN], "wait"],
    ["the first look sees nothing", STARTED, [WOKEN, lookedEvent(HIDDEN, true)], "look wait"],
    ["ESC is down", STEADY, [WOKEN, downEvent(0)], "look wait"],
  ])("decides what to do next: %s", (_, state, events, kinds) => {
    expect(passThrough(state, events).kinds).toBe(kinds);
  });

  it.each<readonly [string, WatchState, number, readonly RoundEvent<string>[], string]>([
    [
      "after 15 minutes, if nothing is visible",
      { ...STARTED, known: HIDDEN },
      15 * MINUTE,
      [WOKEN, lookedEvent(HIDDEN, false), openedEvent({ KEY: "one", AWS: "a" })],
      "look open wait",
    ],
    ["after 15 minutes, if all is visible", STEADY, 15 * MINUTE, [WOKEN, lookedEvent(VISIBLE, false)], "look wait"],
    [
      "before the session ends",
      STEADY,
      48 * MINUTE,
      [WOKEN, lookedEvent(VISIBLE, false), openedEvent({ KEY: "one", AWS: "b" }), RESTARTED],
      "look open restart wait",
    ],
    [
      "before the session ends, if nothing is visible",
      { ...STARTED, known: HIDDEN, nextOpeningAt: 60 * MINUTE },
      48 * MINUTE,
      [WOKEN],
      "open",
    ],
  ])("opens ESC when it is due: %s", (_, state, now, events, kinds) => {
    expect(passThrough(state, events, now).kinds).toBe(kinds);
  });

  it("asks for hidden revisions again when they are due", () => {
    const { last } = passThrough({ ...STARTED, known: HIDDEN }, [WOKEN], 15 * MINUTE);
    expect(last).toEqual({ kind: "look", before: { ...HIDDEN, hidden: new Set() } });
  });

  it("restarts with the names that differ, and marks values of providers as volatile", () => {
    const events = [
      WOKEN,
      lookedEvent(VISIBLE, true),
      openedEvent({ KEY: "two", AWS: "b" }),
      openedEvent({ KEY: "two", AWS: "c" }),
    ];
    const restarting = passThrough(STEADY, events);
    expect(restarting.last).toEqual({ kind: "restart", renewal: "renewal", names: ["KEY"] });
    const { state } = passThrough(restarting.state, [RESTARTED]);
    expect([...state.digests.program]).toEqual([
      ["KEY", "two"],
      ["AWS", "c"],
    ]);
    expect([...state.volatileNames]).toEqual(["AWS"]);
  });

  it("tries a restart that is not possible again, with growing pauses, and reports it once", () => {
    const events = [
      WOKEN,
      lookedEvent(VISIBLE, true),
      openedEvent({ KEY: "two", AWS: "a" }),
      openedEvent({ KEY: "two", AWS: "a" }),
    ];
    const { state } = passThrough(STEADY, events);
    const refused = passThrough(state, [{ kind: "restarted", refusal: ["warning: too large"] }]);
    expect(refused.state.digests).toBe(STEADY.digests);
    expect(refused.messages).toEqual([["warning", ["warning: too large"]]]);
    // The audit log may be writable again soon.
    const again = passThrough(refused.state, [...events, { kind: "restarted", refusal: ["warning: too large"] }]);
    expect([again.messages, again.last]).toEqual([[], { kind: "wait", ms: 4000 }]);
    expect(passThrough(again.state, events).last).toMatchObject({ kind: "restart", names: ["KEY"] });
  });

  it("reports an unmet contract each time, and an unreadable source once", () => {
    const unmet: RoundEvent<string> = { kind: "opened", values: { kind: "unmet", lines: ["unmet"] } };
    const trouble: RoundEvent<string> = { kind: "opened", values: { kind: "unreadable", lines: ["trouble"] } };
    const to = [WOKEN, lookedEvent(VISIBLE, true)];
    expect(passThrough(STEADY, [...to, unmet]).messages).toEqual([["warning", ["unmet"]]]);
    const twice = passThrough(STEADY, [...to, trouble, ...to, trouble]);
    expect(twice.messages).toEqual([["warning", ["trouble"]]]);
    expect(twice.last).toEqual({ kind: "wait", ms: 4000 });
  });
});

describe("a round of --watch with the broker", () => {
  /** What the program has (a dummy of KEY, and credentials of a provider), and what the broker sends for KEY. */
  const PROGRAM = { KEY: "dummy", AWS: "a" };
  const OTHER = { KEY: "dummy", AWS: "b" };
  const BROKERED: WatchState = { ...STEADY, digests: digests(PROGRAM, { KEY: "one" }) };
  const VOLATILE: WatchState = { ...BROKERED, volatileNames: new Set(["KEY"]) };
  const CHANGED = [WOKEN, lookedEvent(VISIBLE, true)];

  it.each<readonly [string, WatchState, readonly RoundEvent<string>[], string]>([
    ["the same keys", BROKERED, [...CHANGED, openedEvent(PROGRAM, { KEY: "one" })], "look open wait"],
    [
      "a key alone has changed",
      BROKERED,
      [...CHANGED, openedEvent(PROGRAM, { KEY: "two" }), openedEvent(PROGRAM, { KEY: "two" }), SWAPPED],
      "look open open swap wait",
    ],
    [
      "a key has changed, and credentials of a provider are others on each open",
      BROKERED,
      [
        ...CHANGED,
        openedEvent(OTHER, { KEY: "two" }),
        openedEvent({ KEY: "dummy", AWS: "c" }, { KEY: "two" }),
        SWAPPED,
      ],
      "look open open swap wait",
    ],
    [
      "a variable has changed as well",
      BROKERED,
      [...CHANGED, ...[1, 2].map(() => openedEvent({ ...PROGRAM, PORT: "1" }, { KEY: "two" })), RESTARTED],
      "look open open restart wait",
    ],
    [
      "a key appears",
      BROKERED,
      [...CHANGED, ...[1, 2].map(() => openedEvent({ ...PROGRAM, NEW: "dummy" }, { KEY: "one", NEW: "x" })), RESTARTED],
      "look open open restart wait",
    ],
    [
      "a key disappears",
      BROKERED,
      [...CHANGED, ...[1, 2].map(() => openedEvent({ AWS: "a" }, {})), RESTARTED],
      "look open open restart wait",
    ],
    [
      "a provider makes another key on each open",
      BROKERED,
      [...CHANGED, openedEvent(PROGRAM, { KEY: "two" }), openedEvent(PROGRAM, { KEY: "three" })],
      "look open open wait",
    ],
    ["a key of a provider, and nothing has changed", VOLATILE, [WOKEN, lookedEvent(VISIBLE, false)], "look wait"],
  ])("swaps or restarts: %s", (_, state, events, kinds) => {
    expect(passThrough(state, events).kinds).toBe(kinds);
  });

  it.each<readonly [string, Values, Values, string]>([
    ["keys alone", PROGRAM, { KEY: "two" }, "look open swap"],
    ["keys and credentials", OTHER, { KEY: "two" }, "look open restart"],
    ["neither", PROGRAM, { KEY: "one" }, "look open wait"],
  ])("renews what providers have made before the session ends: %s", (_, values, keys, kinds) => {
    const events = [WOKEN, lookedEvent(VISIBLE, false), openedEvent(values, keys)];
    const { kinds: happened, state } = passThrough(VOLATILE, events, 48 * MINUTE);
    expect(happened).toBe(kinds);
    if (kinds.endsWith("swap")) {
      expect(passThrough(state, [SWAPPED], 48 * MINUTE).state.expiresAt).toBe((48 + 48) * MINUTE);
    }
  });

  it.each<readonly [string, Values, number, readonly RoundEvent<string>[], string]>([
    ["is replaced under the program when the session ends", { KEY: "one", AWS: "b" }, 48, [], "look open wait"],
    ["does not keep another value from a restart", { KEY: "two", AWS: "b" }, 48, [], "look open restart"],
    [
      "restarts the program if a revision has changed it",
      { KEY: "one", AWS: "b" },
      1,
      [CHANGE],
      "look open open restart",
    ],
  ])("finds a file that --refresh renewed, which %s", (_, values, minutes, [change], kinds) => {
    const again: RoundEvent<string> = {
      kind: "opened",
      values: { kind: "ready", digests: digests(values, {}, ["AWS"]), renewal: "renewal" },
    };
    const events = change === undefined ? [WOKEN, lookedEvent(VISIBLE, false), again] : [WOKEN, change, again, again];
    expect(passThrough(STEADY, events, minutes * MINUTE).kinds).toBe(kinds);
  });

  it("swaps all keys that differ, and keeps the session of the program's values", () => {
    const before: WatchState = { ...BROKERED, digests: digests(PROGRAM, { KEY: "one", MADE: "x" }) };
    const createdValues = { KEY: "dummy", AWS: "c" };
    const events = [
      ...CHANGED,
      openedEvent(OTHER, { KEY: "two", MADE: "y" }),
      openedEvent(createdValues, { KEY: "two", MADE: "z" }),
    ];
    const { last, state } = passThrough(before, events);
    expect(last).toEqual({ kind: "swap", renewal: "renewal", names: ["KEY", "MADE"] });
    const { state: after } = passThrough(state, [SWAPPED]);
    expect(after.digests).toEqual(digests(PROGRAM, { KEY: "two", MADE: "z" }));
    expect(after.expiresAt).toBe(before.expiresAt);
  });

  it("restarts with the names of keys and other variables that differ", () => {
    const events = [...CHANGED, ...[1, 2].map(() => openedEvent({ ...PROGRAM, AWS: "b" }, { KEY: "two" }))];
    const { last } = passThrough(BROKERED, events);
    expect(last).toEqual({ kind: "restart", renewal: "renewal", names: ["AWS", "KEY"] });
  });

  it("tries a swap that could not be recorded again, with growing pauses, and reports it once", () => {
    const refused: RoundEvent<string> = { kind: "swapped", refusal: ["warning: full"] };
    const attempt = [...CHANGED, ...[1, 2].map(() => openedEvent(PROGRAM, { KEY: "two" })), refused];
    const { last, messages, state } = passThrough(BROKERED, [...attempt, ...attempt]);
    expect(messages).toEqual([["warning", ["warning: full"]]]);
    expect(last).toEqual({ kind: "wait", ms: 4000 });
    expect(state.digests).toBe(BROKERED.digests);
    expect(state.known).toBe(BROKERED.known);
  });

  it.each<readonly [string, WatchState, readonly RoundEvent<string>[], string]>([
    ["looks at revisions first", BROKERED, [EARLY, lookedEvent(VISIBLE, false)], "look wait"],
    [
      "opens where a revision is hidden",
      { ...BROKERED, known: { ...VISIBLE, hidden: new Set(["acme/app/base"]) } },
      [EARLY, openedEvent(PROGRAM, { KEY: "one" })],
      "open wait",
    ],
    [
      "opens where no revision is visible",
      { ...BROKERED, known: HIDDEN },
      [EARLY, openedEvent(PROGRAM, { KEY: "two" }), openedEvent(PROGRAM, { KEY: "two" }), SWAPPED],
      "open open swap wait",
    ],
    [
      "opens if the first look sees nothing",
      { ...BROKERED, known: undefined },
      [EARLY, lookedEvent(HIDDEN, true), openedEvent(PROGRAM, { KEY: "one" })],
      "look open wait",
    ],
    [
      "opens where a revision is refused that was visible",
      { ...BROKERED, lost: new Map([[ENV, 403]]) },
      [EARLY, openedEvent(PROGRAM, { KEY: "one" })],
      "open wait",
    ],
    ["looks although ESC was down", BROKERED, [WOKEN, downEvent(0), EARLY], "look wait look"],
    ["waits as long as the service has asked for", BROKERED, [WOKEN, downEvent(MINUTE), EARLY], "look wait wait"],
  ])("begins early if a service refuses a key and %s", (_, state, events, kinds) => {
    expect(passThrough(state, events).kinds).toBe(kinds);
  });

  it("waits as long as the service has asked for, counted from its answer", () => {
    const { state } = passThrough(BROKERED, [WOKEN, downEvent(MINUTE)], 1000);
    expect(passThrough(state, [EARLY], 21_000).last).toEqual({ kind: "wait", ms: 40_000 });
    expect(passThrough(state, [EARLY], 61_000).kinds).toBe("look");
  });

  it("asks for hidden revisions when they are due, however often a service refuses a key", () => {
    const hidden: WatchState = { ...BROKERED, known: HIDDEN };
    const { state } = passThrough(hidden, [EARLY, openedEvent(PROGRAM, { KEY: "one" })], 14 * MINUTE);
    expect(passThrough(state, [EARLY], 15 * MINUTE).last).toMatchObject({
      kind: "look",
      before: { hidden: new Set() },
    });
  });
});

describe("pauses between rounds", () => {
  it("grow with failures, are as long as the service asks for, and become normal again", () => {
    const troubled = passThrough(STEADY, [WOKEN, downEvent(0), WOKEN, downEvent(0)]);
    expect(troubled.last).toEqual({ kind: "wait", ms: 4000 });
    expect(troubled.messages).toHaveLength(1);
    expect(passThrough(troubled.state, [WOKEN, downEvent(20 * MINUTE)]).last).toEqual({
      kind: "wait",
      ms: 20 * MINUTE,
    });
    const over = passThrough(troubled.state, [WOKEN, lookedEvent(VISIBLE, false)]);
    expect(over.last).toEqual({ kind: "wait", ms: 1000 });
    expect(over.messages).toMatchObject([["notice", [expect.any(String)]]]);
    expectWording(over.messages.flatMap(([, lines]) => lines).join("\n"));
  });

  it("end at the latest with the session", () => {
    const { last } = passThrough({ ...STEADY, expiresAt: 1400 }, [WOKEN, lookedEvent(VISIBLE, false)]);
    expect(last).toEqual({ kind: "wait", ms: 400 });
  });

  it("are no longer than a timer can be, since ESC would then be asked without a pause", () => {
    const { last } = passThrough({ ...STEADY, expiresAt: 500 }, [WOKEN, downEvent(365 * 24 * 60 * MINUTE)]);
    expect(last).toEqual({ kind: "wait", ms: 2_147_483_647 });
  });

  it("stay long as long as a revision that was visible is refused", () => {
    const refused = lookedEvent(VISIBLE, false, { [ENV]: 403 });
    const { last, messages, state } = passThrough(STEADY, [WOKEN, refused, WOKEN, refused]);
    expect([last, state.reportedFailures.size]).toEqual([{ kind: "wait", ms: 4000 }, 1]);
    expect(messages).toMatchObject([
      ["warning", [expect.stringContaining("acme/app/dev (HTTP 403)"), expect.any(String)]],
    ]);
    expectWording(messages.flatMap(([, lines]) => lines).join("\n"));
  });
});
