/**
 * Decides what `--watch` does next: the rounds in which ESC is followed, as a state and a pure function of it, without values.
 * follow-esc.ts performs the actions, and reports their results as events:
 *
 *     let { state, action } = beginRounds(digests, timing);     // wait
 *     ({ state, action } = nextStep(state, event, timing));      // look, open, restart or swap, and then wait again
 *
 * A round begins after a pause. It looks at the revisions of the environments, which is cheap. If one has changed, it opens the
 * environments. If a value of the program has changed, it restarts the program. If only brokered keys have changed, it swaps
 * them in the broker, and the program continues.
 *
 * - Some providers make a new value whenever the environments are opened. So a round opens them twice: such volatile values differ
 *   between the two openings, and are no changes.
 * - Some revisions are hidden from the token. So the environments are opened every 15 minutes to compare the values.
 * - Values of providers expire with the session of ESC. So the program is restarted, or its keys are swapped, before that.
 * - A service may refuse a key (HTTP 401). Then a round begins early, and opens environments with hidden revisions at once.
 */
import { LONGEST_TIMER_MS } from "../../../command-line/settings.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/detect-changes.ts";
import { changedNames, type Digests } from "./digests.ts";

/**
 * The values after all sources were read again. `trouble`: a source cannot be read. `unmet`: the contract is not met. `Renewal` is
 * what the caller needs to restart the program or to swap keys.
 */
export type NewValues<Renewal> =
  | { readonly kind: "ready"; readonly digests: Digests; readonly renewal: Renewal }
  | { readonly kind: "trouble" | "unmet"; readonly lines: Lines };

export type Lines = readonly [string, ...string[]];

export interface RoundTiming {
  /** The present time of a monotonic clock, in ms. The times of the state are of the same clock. */
  readonly now: number;
  /** A new random number, from 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
  /** The polling interval. */
  readonly everyMs: number;
  /** The lifetime of a session, and of credentials that providers made in it. */
  readonly sessionMs: number;
}

export interface WatchState {
  /** The digests of what the program and the broker have. */
  readonly digests: Digests;
  /** The names of values that providers make on each opening. */
  readonly volatile: ReadonlySet<string>;
  /** The revisions at the end of the last successful round; undefined before the first one. */
  readonly known: KnownEnvironments | undefined;
  /** The HTTP status of environments whose revision was visible and is refused now. */
  readonly lost: ReadonlyMap<string, number>;
  /** The time at which the values are renewed, since the session ends soon after. */
  readonly expiresAt: number;
  /** The time at which the environments are opened if some revisions are hidden. */
  readonly opensAt: number;
  /** The number of rounds that failed since the last success. */
  readonly failures: number;
  /** The time until which the service has asked for a pause. */
  readonly pausesUntil: number;
  /** The failures that were reported since the last success. */
  readonly reported: ReadonlySet<string>;
  readonly round: Round;
}

/** The present round: why it does more than look, and what it has found so far. */
interface Round {
  /** True if the round began before the end of the pause, because a service refused a key. */
  readonly isEarly: boolean;
  readonly isExpiring: boolean;
  /** True if the environments must be opened because revisions are hidden. */
  readonly isDue: boolean;
  readonly seen?: KnownEnvironments;
  /** The digests of the first of two openings. */
  readonly firstOpening?: Digests;
  /** The digests of the values by which the program is being restarted, or keys are being swapped. */
  readonly replacement?: Digests;
}

/** The result of an action. */
export type RoundEvent<Renewal> =
  /** `isEarly`: the pause was cut short, because a service refused a key. */
  | { readonly kind: "woken"; readonly isEarly: boolean }
  | { readonly kind: "looked"; readonly look: ChangeReport }
  | { readonly kind: "opened"; readonly values: NewValues<Renewal> }
  /** `refusal`: the reason why the program could not be restarted, or the keys could not be swapped. */
  | { readonly kind: "restarted" | "swapped"; readonly refusal: Lines | undefined };

/** Lines for the user. `--quiet` drops a notice; a detail is printed only with `--verbose`. */
export type RoundMessage = readonly [level: "warning" | "notice" | "detail", lines: Lines];

export type RoundAction<Renewal> =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "look"; readonly before: KnownEnvironments | undefined }
  | { readonly kind: "open" }
  | { readonly kind: "restart" | "swap"; readonly renewal: Renewal; readonly names: readonly string[] };

export interface RoundStep<Renewal> {
  readonly state: WatchState;
  readonly messages: readonly RoundMessage[];
  readonly action: RoundAction<Renewal>;
}

/** The interval at which environments with hidden revisions are opened. The revisions are also asked for again then. */
const OPEN_INTERVAL_MS = 15 * 60_000;
/** Each failure doubles the pause, up to this or to the polling interval if that is longer. */
const MAX_PAUSE_MS = 5 * 60_000;
/** Keeps 2 ** failures a number that can be multiplied. */
const MAX_DOUBLINGS = 20;
/** A session is renewed when this part of its lifetime is over: a random one, so that not all programs restart at the same time. */
const RENEWAL = { from: 0.8, to: 0.9 } as const;
/** A pause is longer by a random part of it, up to this, so that many launchers do not send requests at the same time. */
const JITTER = 0.2;

const NO_ROUND: Round = { isEarly: false, isExpiring: false, isDue: false };

/** Returns the first state, and the action to wait. @param digests the digests of the values that the program got */
export function beginRounds<Renewal>(digests: Digests, timing: RoundTiming): RoundStep<Renewal> {
  const state: WatchState = {
    digests,
    volatile: new Set(),
    known: undefined,
    lost: new Map(),
    expiresAt: nextExpiry(timing),
    opensAt: timing.now + OPEN_INTERVAL_MS,
    failures: 0,
    pausesUntil: timing.now,
    reported: new Set(),
    round: NO_ROUND,
  };
  return pause(state, timing);
}

/** Returns the state after an event, which is the result of the last action, with the next action. */
export function nextStep<Renewal>(
  state: WatchState,
  event: RoundEvent<Renewal>,
  timing: RoundTiming,
): RoundStep<Renewal> {
  switch (event.kind) {
    case "woken":
      return onWoken(state, event.isEarly, timing);
    case "looked":
      return onLooked(state, event.look, timing);
    case "opened":
      return onOpened(state, event.values, timing);
    case "restarted":
    case "swapped":
      return event.refusal === undefined ? onReplaced(state, event.kind, timing) : fail(state, event.refusal, timing);
  }
}

/** Begins a round: decides between a look, an opening without a look, and a further pause. */
function onWoken(before: WatchState, isEarly: boolean, timing: RoundTiming): RoundStep<never> {
  const { known, lost } = before;
  if (isEarly && timing.now < before.pausesUntil) return pause(before, timing);
  const isExpiring = timing.now >= before.expiresAt;
  const areSomeHidden = known !== undefined && known.hidden.size + lost.size > 0;
  const isDue = timing.now >= before.opensAt && areSomeHidden;
  const state: WatchState = { ...before, round: { isEarly, isExpiring, isDue } };
  const open: RoundStep<never> = { state, messages: [], action: { kind: "open" } };
  if (isEarly && areSomeHidden && !isDue) return open;
  const isLookUseful = known === undefined || known.seen.size > 0 || isDue;
  if (isLookUseful) {
    // Hidden revisions are asked for again when they are due: the token may see them now.
    const toCompare = known !== undefined && isDue ? { ...known, hidden: new Set<string>() } : known;
    return { state, messages: [], action: { kind: "look", before: toCompare } };
  }
  return isExpiring ? open : pause(state, timing);
}

/** Opens the environments if a revision has changed, or if they must be opened anyway. */
function onLooked(before: WatchState, look: ChangeReport, timing: RoundTiming): RoundStep<never> {
  const { isEarly, isExpiring, isDue } = before.round;
  if (look.kind !== "seen") {
    const pausing = { ...before, pausesUntil: timing.now + (look.retryAfterMs ?? 0) };
    const { message } = look.failure;
    return fail(pausing, [`warning: cannot look for changes in ESC: ${message}; the program continues`], timing);
  }
  const { known: seen, lost } = look;
  const looked: WatchState = { ...before, lost, round: { ...before.round, seen } };
  // Refused revisions are a failure, but the round continues with those that are visible.
  const { state, messages } =
    lost.size > 0 ? fail(looked, describeLost(lost), timing) : { state: looked, messages: [] };
  const isFirstLook = before.known === undefined;
  const allMessages = isFirstLook ? [...messages, ...describeHidden(seen)] : messages;
  // The first look reports a change if it sees no revision, too. That is no reason to open, unless a service refused a key.
  const hasChanged = look.hasChanged && (!isFirstLook || seen.seen.size > 0 || isEarly);
  if (!hasChanged && !isExpiring && !isDue) return succeed({ ...state, known: seen }, allMessages, timing);
  // A change may replace a provider by a fixed value, so that it is no longer known which values are volatile.
  const opening = hasChanged ? { ...state, volatile: new Set<string>() } : state;
  return { state: opening, messages: allMessages, action: { kind: "open" } };
}

/** Compares new values with those of the program, and restarts the program or swaps the keys that differ. */
function onOpened<Renewal>(before: WatchState, values: NewValues<Renewal>, timing: RoundTiming): RoundStep<Renewal> {
  const { round } = before;
  if (values.kind !== "ready") {
    const { kind, lines } = values;
    return kind === "trouble" ? fail(before, lines, timing) : finish(before, [["warning", lines]], timing);
  }
  const { digests, renewal } = values;
  const { firstOpening = digests } = round;
  const volatile = new Set([...before.volatile, ...differences(firstOpening, digests).all]);
  // At the end of a session volatile values are renewed as well, except for files, which are replaced under the running program.
  const isChange = (name: string): boolean => (round.isExpiring ? !digests.renewed.has(name) : !volatile.has(name));
  const { program, brokered, all } = differences(before.digests, digests);
  const state: WatchState = { ...before, volatile };
  if (!all.some(isChange)) {
    return finish(state, [["detail", ["the program would get the same values from ESC"]]], timing);
  }
  const needsSecondOpening = !round.isExpiring && round.firstOpening === undefined;
  if (needsSecondOpening) {
    return { state: { ...state, round: { ...round, firstOpening: digests } }, messages: [], action: { kind: "open" } };
  }
  const action: RoundAction<Renewal> = program.some(isChange)
    ? { kind: "restart", renewal, names: all.filter(isChange) }
    : { kind: "swap", renewal, names: brokered };
  return { state: { ...state, round: { ...round, replacement: digests } }, messages: [], action };
}

/** Ends a round after the program was restarted, or keys were swapped. */
function onReplaced(state: WatchState, kind: "restarted" | "swapped", timing: RoundTiming): RoundStep<never> {
  const { replacement = state.digests } = state.round;
  if (kind === "restarted") {
    return finish({ ...state, digests: replacement, expiresAt: nextExpiry(timing) }, [], timing);
  }
  // The running program keeps its variables, and with them the session in which providers made some of them.
  const digests = { ...state.digests, brokered: replacement.brokered };
  return finish({ ...state, digests }, [], timing);
}

function differences(before: Digests, after: Digests) {
  const program = changedNames(before.program, after.program);
  const brokered = changedNames(before.brokered, after.brokered);
  return { program, brokered, all: [...new Set([...program, ...brokered])].toSorted() };
}

/** Ends a round that has opened the environments. */
function finish(before: WatchState, messages: readonly RoundMessage[], timing: RoundTiming): RoundStep<never> {
  const { isEarly, isExpiring, isDue, seen = before.known } = before.round;
  // An early round does not postpone the look at hidden revisions, however often a service refuses a key.
  const opensAt = isEarly && !isDue ? before.opensAt : timing.now + OPEN_INTERVAL_MS;
  const expiresAt = isExpiring ? nextExpiry(timing) : before.expiresAt;
  return succeed({ ...before, known: seen, opensAt, expiresAt }, messages, timing);
}

/** Ends a round. It is a success only if no revision is refused. */
function succeed(state: WatchState, messages: readonly RoundMessage[], timing: RoundTiming): RoundStep<never> {
  if (state.lost.size > 0) return pause(state, timing, messages);
  const recovered: readonly RoundMessage[] =
    state.reported.size > 0 ? [["notice", ["ESC is checked for changes again"]]] : [];
  return pause({ ...state, reported: new Set(), failures: 0 }, timing, [...messages, ...recovered]);
}

/** Ends a round that failed. The same failure is reported once, until a round succeeds. */
function fail(before: WatchState, lines: Lines, timing: RoundTiming): RoundStep<never> {
  const text = lines.join("\n");
  const state = { ...before, failures: before.failures + 1, reported: new Set([...before.reported, text]) };
  return pause(state, timing, before.reported.has(text) ? [] : [["warning", lines]]);
}

/** Waits for the next round: for the polling interval, longer after failures, and not beyond the end of the session. */
function pause(
  state: WatchState,
  { now, random, everyMs }: RoundTiming,
  messages: readonly RoundMessage[] = [],
): RoundStep<never> {
  const doubledMs = everyMs * 2 ** Math.min(state.failures, MAX_DOUBLINGS);
  const pauseMs = Math.min(doubledMs, Math.max(everyMs, MAX_PAUSE_MS));
  const askedMs = state.pausesUntil - now;
  const jitteredMs = Math.max(pauseMs, askedMs) * (1 + JITTER * random);
  const untilExpiryMs = state.expiresAt - now;
  // If the values could not be renewed in time, the pauses of failures hold. A longer timer would fire at once.
  const maxMs = untilExpiryMs > 0 ? untilExpiryMs : LONGEST_TIMER_MS;
  return { state, messages, action: { kind: "wait", ms: Math.min(jitteredMs, maxMs) } };
}

function nextExpiry({ now, random, sessionMs }: RoundTiming): number {
  const part = RENEWAL.from + (RENEWAL.to - RENEWAL.from) * random;
  return now + sessionMs * part;
}

function describeLost(lost: ReadonlyMap<string, number>): Lines {
  const names = Array.from(lost, ([name, status]) => `${printable(name)} (HTTP ${status})`);
  return [
    `warning: ESC no longer lets this token see the revision of ${enumerateFew(names, 3)}`,
    "until it may again, ESC environments are opened every 15 minutes to compare the values",
  ];
}

function describeHidden({ hidden }: KnownEnvironments): readonly RoundMessage[] {
  if (hidden.size === 0) return [];
  const names = [...hidden].join(", ");
  return [
    ["detail", [`the revision of ${names} is not visible to this token: opened again every 15 minutes to compare`]],
  ];
}
