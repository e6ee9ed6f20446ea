/**
 * Decides what `--watch` does next. With `--watch`, sophia-run follows Pulumi ESC while the program runs, and restarts the program
 * when a value has changed. This file is the state machine, without side effects. follow-esc.ts performs each action, and passes
 * the result as the event to `nextStep`:
 *
 *     let { state, action } = beginRounds(digests, timing);     // wait
 *     ({ state, action } = nextStep(state, event, timing));      // look, open, restart or swap, and then wait again
 *
 * What happens between two pauses is a round:
 *
 * 1. Look at the revisions of the ESC environments, which is cheap. If none has changed, the round ends.
 * 2. Open the environments, to get the values.
 * 3. Restart the program if one of its values has changed. If only keys have changed that the broker adds to the program's requests
 *    (`--broker`), swap the keys in the broker; the program continues.
 *
 * Every action has one event, and a function that decides what follows:
 *
 *     action         event               function     next action
 *     wait           woken               onWoken      look; open without a look; wait if no request makes sense now
 *     look           looked              onLooked     open if something has changed or an opening is due; otherwise wait
 *     open           opened              onOpened     restart or swap if values have changed; open a second time; otherwise wait
 *     restart, swap  restarted, swapped  onReplaced   wait
 *
 * An action that fails ends the round, and the pause doubles, up to a limit. Such a round leaves `known` and `digests` as they were
 * before it, so a later round finds the same change again, and tries again.
 *
 * Four facts make this more complicated:
 *
 * - Some providers (such as `fn::open::aws-login`) make a new value whenever the environments are opened. So a round opens them
 *   twice: volatile values differ between the two openings, and are not treated as changes.
 * - The token may not be allowed to see some revisions. So a round opens the environments every 15 minutes to compare the values.
 * - Values of providers expire with the session of ESC. So the program is restarted, or its keys are swapped, before that.
 * - A service may refuse a key (HTTP 401). Then a round begins early, and opens environments with hidden revisions at once.
 */
import { LONGEST_TIMER_MS } from "../../../command-line/settings.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/detect-changes.ts";
import { findChangedNames, type Digests } from "./digests.ts";

/**
 * The result of reading all sources again. `unreadable`: a source cannot be read. `unmet`: the values break a rule of the contract.
 * `lines` is the warning for the user. `Renewal` is what the caller needs to restart the program or to swap keys; this file only
 * passes it on.
 */
export type NewValues<Renewal> =
  | { readonly kind: "ready"; readonly digests: Digests; readonly renewal: Renewal }
  | { readonly kind: "unreadable"; readonly lines: Lines }
  | { readonly kind: "unmet"; readonly lines: Lines };

/** The lines of one message. */
export type Lines = readonly [string, ...string[]];

export interface RoundTiming {
  /** The present time of a monotonic clock, in ms. The times of the state are of the same clock. */
  readonly now: number;
  /** A new random number, from 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
  /** The length of a pause before jitter, if no round has failed. */
  readonly pollingIntervalMs: number;
  /** The lifetime of a session, and of credentials that providers made in it. */
  readonly sessionMs: number;
}

/** The memory of the rounds between two events. It has digests of the values in place of the values. */
export interface WatchState {
  /** The digests of what the program and the broker have at present. Only a successful restart or swap changes them. */
  readonly digests: Digests;
  /** The names of the values that differed between two openings, because providers make them on each opening. */
  readonly volatileNames: ReadonlySet<string>;
  /** The revisions at the end of the last successful round, with which the next look compares; undefined before the first one. */
  readonly known: KnownEnvironments | undefined;
  /** Environments whose revision the token could see before and is refused now, with the HTTP status. */
  readonly lost: ReadonlyMap<string, number>;
  /** The time at which the values must be renewed: some time before the session ends. It stays in the past while rounds fail. */
  readonly expiresAt: number;
  /** The time at which a round opens the environments even without a visible change, if some revisions are hidden. */
  readonly nextOpeningAt: number;
  /** The number of rounds that failed since the last success. */
  readonly failureCount: number;
  /** The time before which ESC has asked for no further request (`Retry-After`); in the past if it has not asked. */
  readonly noRequestBefore: number;
  /** The texts of the failures that were reported since the last success. */
  readonly reportedFailures: ReadonlySet<string>;
  /** The present round. During a pause it is the round that has ended, and nothing reads it. */
  readonly round: Round;
}

/** A round: why it began or does more than look, and the results of its steps so far. */
interface Round {
  /** True if the round began before the end of the pause, because a service refused a key. */
  readonly isEarly: boolean;
  /** True if the session ends soon, so that the values must be renewed. */
  readonly isExpiring: boolean;
  /** True if the environments must be opened because revisions are hidden. */
  readonly isOpeningDue: boolean;
  /** The revisions that the look has seen; absent if the round has not looked. They become `known` when the round succeeds. */
  readonly knownAfterLook?: KnownEnvironments;
  /** The digests of the first of two openings; absent before it. */
  readonly firstOpening?: Digests;
  /** The digests of the new values, from the decision to restart or to swap until the result of that. */
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

/** A message for the user. `--quiet` suppresses notices; details are printed only with `--verbose`. */
export type RoundMessage = readonly [level: "warning" | "notice" | "detail", lines: Lines];

export type RoundAction<Renewal> =
  | { readonly kind: "wait"; readonly ms: number }
  /** Compares the revisions with those `before`; undefined for the first look. */
  | { readonly kind: "look"; readonly before: KnownEnvironments | undefined }
  | { readonly kind: "open" }
  /** `names`: the variables that have changed, for the notice. */
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
/** The limit of the exponent, so that the pause after any number of failures is a finite number. */
const MAX_DOUBLINGS = 20;
/**
 * A session is renewed after a random part of its lifetime between these two, so that programs which were started together do not
 * all restart at the same time.
 */
const MIN_RENEWAL_PART = 0.8;
const MAX_RENEWAL_PART = 0.9;
/** A pause is extended by a random part of its length, up to this part, so that many launchers do not all ask ESC at once. */
const MAX_JITTER = 0.2;

/** A round that only looks. It is also the state before the first round. */
const PLAIN_ROUND: Round = { isEarly: false, isExpiring: false, isOpeningDue: false };

/** Returns the first state, and a pause as the first action. @param digests the digests of the values that the program got */
export function beginRounds<Renewal>(digests: Digests, timing: RoundTiming): RoundStep<Renewal> {
  const state: WatchState = {
    digests,
    volatileNames: new Set(),
    known: undefined,
    lost: new Map(),
    expiresAt: computeExpiry(timing),
    nextOpeningAt: timing.now + OPEN_INTERVAL_MS,
    failureCount: 0,
    noRequestBefore: timing.now,
    reportedFailures: new Set(),
    round: PLAIN_ROUND,
  };
  return pause(state, timing);
}

/** Returns the next state and action. @param event the result of the action that came with `state` */
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
      return event.refusal === undefined
        ? onReplaced(state, event.kind, timing)
        : failRound(state, event.refusal, timing);
  }
}

/** Begins a round: decides between a look, an opening without a look, and a further pause. */
function onWoken(before: WatchState, isEarly: boolean, timing: RoundTiming): RoundStep<never> {
  const { known, lost } = before;
  // ESC has asked for the pause, so a service that refuses a key cannot cut it short.
  if (isEarly && timing.now < before.noRequestBefore) return pause(before, timing);
  const isExpiring = timing.now >= before.expiresAt;
  const hasHiddenRevisions = known !== undefined && known.hidden.size + lost.size > 0;
  const isOpeningDue = hasHiddenRevisions && timing.now >= before.nextOpeningAt;
  const state: WatchState = { ...before, round: { isEarly, isExpiring, isOpeningDue } };
  const open: RoundStep<never> = { state, messages: [], action: { kind: "open" } };
  // A look cannot show whether the refused key has changed, if its revision may be among the hidden ones. If the opening is due,
  // the round looks first, because it asks for the hidden revisions again; it then opens the environments even if no revision has
  // changed.
  if (isEarly && hasHiddenRevisions && !isOpeningDue) return open;
  const isLookUseful = known === undefined || known.seen.size > 0 || isOpeningDue;
  if (isLookUseful) {
    // A look leaves out the revisions that were hidden before. When they are due it asks again: the token may see them now.
    const revisionsBefore = known !== undefined && isOpeningDue ? { ...known, hidden: new Set<string>() } : known;
    return { state, messages: [], action: { kind: "look", before: revisionsBefore } };
  }
  return isExpiring ? open : pause(state, timing);
}

/** Opens the environments if a revision has changed, or if they must be opened anyway. */
function onLooked(before: WatchState, look: ChangeReport, timing: RoundTiming): RoundStep<never> {
  if (look.kind !== "seen") {
    const afterRefusal = { ...before, noRequestBefore: timing.now + (look.retryAfterMs ?? 0) };
    const { message } = look.failure;
    return failRound(
      afterRefusal,
      [`warning: cannot look for changes in ESC: ${message}; the program continues`],
      timing,
    );
  }
  const { known: knownAfterLook, lost } = look;
  const afterLook: WatchState = { ...before, lost, round: { ...before.round, knownAfterLook } };
  // Refused revisions are counted and reported as a failure, but the round continues with the revisions that are visible.
  const [state, failureMessages] = lost.size > 0 ? countFailure(afterLook, describeLost(lost)) : [afterLook, []];
  const isFirstLook = before.known === undefined;
  const messages = isFirstLook ? [...failureMessages, ...describeHidden(knownAfterLook)] : failureMessages;
  // The first look has nothing to compare, and always reports a change. If it saw no revision at all, that is no reason to open the
  // environments, unless a service refused a key.
  const { isEarly, isExpiring, isOpeningDue } = before.round;
  const hasChanged = look.hasChanged && (!isFirstLook || knownAfterLook.seen.size > 0 || isEarly);
  if (!hasChanged && !isExpiring && !isOpeningDue) {
    return completeRound({ ...state, known: knownAfterLook }, messages, timing);
  }
  // The change may have replaced a provider by a fixed value, so the round must find out again which values are volatile.
  const stateToOpen = hasChanged ? { ...state, volatileNames: new Set<string>() } : state;
  return { state: stateToOpen, messages, action: { kind: "open" } };
}

/** Compares new values with those of the program, and restarts the program or swaps the keys that differ. */
function onOpened<Renewal>(before: WatchState, values: NewValues<Renewal>, timing: RoundTiming): RoundStep<Renewal> {
  if (values.kind === "unreadable") return failRound(before, values.lines, timing);
  // The sources were read, so the round ends without a failure. The values are read again when ESC has changed or an opening is
  // due.
  if (values.kind === "unmet") return completeOpening(before, [["warning", values.lines]], timing);
  const { round } = before;
  const { digests, renewal } = values;
  const { firstOpening = digests } = round;
  const volatileNames = new Set([...before.volatileNames, ...compareDigests(firstOpening, digests).all]);
  const state: WatchState = { ...before, volatileNames };

  // At the end of a session volatile values must be renewed as well. --refresh already replaces files while the program runs.
  const requiresAction = (name: string): boolean =>
    round.isExpiring ? !digests.renewed.has(name) : !volatileNames.has(name);
  const { program, brokered, all } = compareDigests(before.digests, digests);
  if (!all.some(requiresAction)) {
    return completeOpening(state, [["detail", ["the program would get the same values from ESC"]]], timing);
  }

  // Only a second opening tells a changed value from a volatile one. At the end of a session both are renewed.
  const needsSecondOpening = !round.isExpiring && round.firstOpening === undefined;
  if (needsSecondOpening) {
    return { state: { ...state, round: { ...round, firstOpening: digests } }, messages: [], action: { kind: "open" } };
  }

  // A swap cannot change the program's variables, so one of them that requires action is a reason to restart the program.
  const action: RoundAction<Renewal> = program.some(requiresAction)
    ? { kind: "restart", renewal, names: all.filter(requiresAction) }
    : { kind: "swap", renewal, names: brokered };
  return { state: { ...state, round: { ...round, replacement: digests } }, messages: [], action };
}

/** Ends a round after the program was restarted, or the keys were swapped, successfully. */
function onReplaced(state: WatchState, kind: "restarted" | "swapped", timing: RoundTiming): RoundStep<never> {
  const { replacement = state.digests } = state.round;
  if (kind === "restarted") {
    return completeOpening({ ...state, digests: replacement, expiresAt: computeExpiry(timing) }, [], timing);
  }
  // The running program keeps its variables, and with them the session in which providers made some of them.
  const digests = { ...state.digests, brokered: replacement.brokered };
  return completeOpening({ ...state, digests }, [], timing);
}

/** Returns the names whose digests differ: those of the program's variables, those of brokered keys, and both, sorted. */
function compareDigests(before: Digests, after: Digests) {
  const program = findChangedNames(before.program, after.program);
  const brokered = findChangedNames(before.brokered, after.brokered);
  return { program, brokered, all: [...new Set([...program, ...brokered])].toSorted() };
}

/** Ends a round that has opened the environments: sets the times of the next opening and of the next renewal. */
function completeOpening(before: WatchState, messages: readonly RoundMessage[], timing: RoundTiming): RoundStep<never> {
  const { isEarly, isExpiring, isOpeningDue, knownAfterLook = before.known } = before.round;
  // An early round must not postpone the regular opening, however often a service refuses a key.
  const nextOpeningAt = isEarly && !isOpeningDue ? before.nextOpeningAt : timing.now + OPEN_INTERVAL_MS;
  const expiresAt = isExpiring ? computeExpiry(timing) : before.expiresAt;
  return completeRound({ ...before, known: knownAfterLook, nextOpeningAt, expiresAt }, messages, timing);
}

/** Ends a round without a failure. If some revisions are still refused, that failure goes on, and its count is kept. */
function completeRound(state: WatchState, messages: readonly RoundMessage[], timing: RoundTiming): RoundStep<never> {
  if (state.lost.size > 0) return pause(state, timing, messages);
  const recoveryMessages: readonly RoundMessage[] =
    state.reportedFailures.size > 0 ? [["notice", ["ESC is checked for changes again"]]] : [];
  return pause({ ...state, reportedFailures: new Set(), failureCount: 0 }, timing, [...messages, ...recoveryMessages]);
}

/**
 * Ends a round that failed. The caller must leave `known` and `digests` unchanged, so that a later round finds the change again.
 */
function failRound(before: WatchState, lines: Lines, timing: RoundTiming): RoundStep<never> {
  const [state, messages] = countFailure(before, lines);
  return pause(state, timing, messages);
}

/** Counts a failure. The messages report it unless it was reported since the last success. */
function countFailure(
  before: WatchState,
  lines: Lines,
): readonly [state: WatchState, messages: readonly RoundMessage[]] {
  const text = lines.join("\n");
  const state = {
    ...before,
    failureCount: before.failureCount + 1,
    reportedFailures: new Set([...before.reportedFailures, text]),
  };
  return [state, before.reportedFailures.has(text) ? [] : [["warning", lines]]];
}

/** Waits for the next round: for the polling interval, longer after failures, and not beyond the end of the session. */
function pause(
  state: WatchState,
  { now, random, pollingIntervalMs }: RoundTiming,
  messages: readonly RoundMessage[] = [],
): RoundStep<never> {
  const doubledMs = pollingIntervalMs * 2 ** Math.min(state.failureCount, MAX_DOUBLINGS);
  const pauseMs = Math.min(doubledMs, Math.max(pollingIntervalMs, MAX_PAUSE_MS));
  const retryAfterMs = state.noRequestBefore - now;
  const jitteredMs = Math.max(pauseMs, retryAfterMs) * (1 + MAX_JITTER * random);
  const untilExpiryMs = state.expiresAt - now;
  // The session may already be over, if ESC could not be opened in time. Then only the pauses after failures apply. A timer longer
  // than LONGEST_TIMER_MS would fire at once.
  const maxMs = untilExpiryMs > 0 ? untilExpiryMs : LONGEST_TIMER_MS;
  return { state, messages, action: { kind: "wait", ms: Math.min(jitteredMs, maxMs) } };
}

/** Returns the time at which values that were made now must be renewed. */
function computeExpiry({ now, random, sessionMs }: RoundTiming): number {
  const part = MIN_RENEWAL_PART + (MAX_RENEWAL_PART - MIN_RENEWAL_PART) * random;
  return now + sessionMs * part;
}

/** Warns of revisions that the token could see before. */
function describeLost(lost: ReadonlyMap<string, number>): Lines {
  const names = Array.from(lost, ([name, status]) => `${printable(name)} (HTTP ${status})`);
  return [
    `warning: ESC no longer lets this token see the revision of ${enumerateFew(names, 3)}`,
    "until it may again, ESC environments are opened every 15 minutes to compare the values",
  ];
}

/** Reports, for `--verbose`, the revisions that the token could not see at the first look. */
function describeHidden({ hidden }: KnownEnvironments): readonly RoundMessage[] {
  if (hidden.size === 0) return [];
  const names = [...hidden].join(", ");
  return [
    ["detail", [`the revision of ${names} is not visible to this token: opened again every 15 minutes to compare`]],
  ];
}
