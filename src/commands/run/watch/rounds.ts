/**
 * The rounds in which ESC is followed, as a state and a pure step, without values; follow-esc.ts performs its actions.
 *
 * A round begins after a pause, and looks at revisions, which is cheap. If one has changed, or some are hidden and 15 minutes
 * have passed, it opens the environments. If a value differs that the program got, it restarts the program; if only brokered
 * keys differ, it swaps them, and the program runs on. Providers make new values on each open: a second open tells them from
 * changes. Before the session ends, the program is restarted, or its keys are swapped.
 *
 * A service that refuses a key has a round begin early. Then hidden environments are opened at once.
 */
import { LONGEST_TIMER_MS } from "../../../command-line/settings.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/detect-changes.ts";
import { changedNames, type Digests } from "./digests.ts";

/** A new resolution of all sources. `trouble`: one cannot be read. `unmet`: the contract is not met. */
export type Resolved<Renewal> =
  | { readonly kind: "ready"; readonly digests: Digests; readonly renewal: Renewal }
  | { readonly kind: "trouble" | "unmet"; readonly lines: Lines };

export type Lines = readonly [string, ...string[]];

export interface Timing {
  /** Monotonic, in ms. */
  readonly now: number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
  readonly everyMs: number;
  /** The lifetime of a session, and of credentials that providers made in it. */
  readonly sessionMs: number;
}

export interface State {
  readonly digests: Digests;
  /** The names of values that providers make on each open. */
  readonly volatile: ReadonlySet<string>;
  readonly known: KnownEnvironments | undefined;
  /** The HTTP status of environments that were visible and are refused now. */
  readonly lost: ReadonlyMap<string, number>;
  readonly expiresAt: number;
  readonly opensAt: number;
  /** In a row. */
  readonly failures: number;
  /** The time until which the service has asked for a pause. */
  readonly pausesUntil: number;
  /** The failures that were reported and still last. */
  readonly reported: ReadonlySet<string>;
  readonly round: Round;
}

interface Round {
  readonly isEarly: boolean;
  readonly isExpiring: boolean;
  /** The environments must be opened, since revisions are hidden. */
  readonly isDue: boolean;
  readonly seen?: KnownEnvironments;
  readonly first?: Digests;
  readonly next?: Digests;
}

export type Event<Renewal> =
  /** `isEarly`: before the end of the pause. */
  | { readonly kind: "woken"; readonly isEarly: boolean }
  | { readonly kind: "looked"; readonly look: ChangeReport }
  | { readonly kind: "opened"; readonly resolved: Resolved<Renewal> }
  /** `refusal`: the reason if the program could not be restarted. */
  | { readonly kind: "restarted"; readonly refusal: Lines | undefined }
  /** `refusal`: the reason if the keys could not be swapped. */
  | { readonly kind: "swapped"; readonly refusal: Lines | undefined };

/** A notice is dropped by `--quiet`, a detail needs `--verbose`. */
export type Message = readonly [level: "warning" | "notice" | "detail", lines: Lines];

export type Action<Renewal> =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "look"; readonly before: KnownEnvironments | undefined }
  | { readonly kind: "open" }
  | { readonly kind: "restart" | "swap"; readonly renewal: Renewal; readonly names: readonly string[] };

export interface Step<Renewal> {
  readonly state: State;
  readonly messages: readonly Message[];
  readonly action: Action<Renewal>;
}

/** The interval of opening if revisions are hidden. They are asked for again then. */
const OPEN_EVERY_MS = 15 * 60_000;
/** Failures double the pause up to this, or to the polling interval if that is longer. */
const LONGEST_PAUSE_MS = 5 * 60_000;
/** The part of its lifetime after which a session is renewed. */
const RENEWAL = { from: 0.8, to: 0.9 } as const;
/** Pauses are longer by up to this part, so that many launchers do not send requests at the same time. */
const JITTER = 0.2;

const IDLE: Round = { isEarly: false, isExpiring: false, isDue: false };

/** Returns the first state and action. @param digests of the values that the program got */
export function begin<Renewal>(digests: Digests, timing: Timing): Step<Renewal> {
  const state: State = {
    digests,
    volatile: new Set(),
    known: undefined,
    lost: new Map(),
    expiresAt: expiry(timing),
    opensAt: timing.now + OPEN_EVERY_MS,
    failures: 0,
    pausesUntil: timing.now,
    reported: new Set(),
    round: IDLE,
  };
  return pause(state, timing);
}

export function step<Renewal>(state: State, event: Event<Renewal>, timing: Timing): Step<Renewal> {
  switch (event.kind) {
    case "woken":
      return wake(state, event.isEarly, timing);
    case "looked":
      return onLook(state, event.look, timing);
    case "opened":
      return onOpened(state, event.resolved, timing);
    case "restarted": {
      const { next = state.digests } = state.round;
      if (event.refusal !== undefined) return fail(state, event.refusal, timing);
      return finish({ ...state, digests: next, expiresAt: expiry(timing) }, [], timing);
    }
    case "swapped": {
      const { next = state.digests } = state.round;
      if (event.refusal !== undefined) return fail(state, event.refusal, timing);
      // The program keeps its variables, those of providers as well.
      const digests = { ...state.digests, brokered: next.brokered };
      return finish({ ...state, digests }, [], timing);
    }
  }
}

function wake(before: State, isEarly: boolean, timing: Timing): Step<never> {
  const { known, lost } = before;
  if (isEarly && timing.now < before.pausesUntil) return pause(before, timing);
  const isExpiring = timing.now >= before.expiresAt;
  const isHidden = known !== undefined && known.hidden.size + lost.size > 0;
  const isDue = timing.now >= before.opensAt && isHidden;
  const state: State = { ...before, round: { isEarly, isExpiring, isDue } };
  if (isEarly && isHidden && !isDue) return { state, messages: [], action: { kind: "open" } };
  if (known === undefined || known.seen.size > 0 || isDue) {
    const asked = known !== undefined && isDue ? { ...known, hidden: new Set<string>() } : known;
    return { state, messages: [], action: { kind: "look", before: asked } };
  }
  return isExpiring ? { state, messages: [], action: { kind: "open" } } : pause(state, timing);
}

function onLook(before: State, look: ChangeReport, timing: Timing): Step<never> {
  const { isEarly, isExpiring, isDue } = before.round;
  if (look.kind !== "seen") {
    const failed = { ...before, pausesUntil: timing.now + (look.retryAfterMs ?? 0) };
    const { message } = look.failure;
    return fail(failed, [`warning: cannot look for changes in ESC: ${message}; the program continues`], timing);
  }
  const { known: seen, lost } = look;
  const looked: State = { ...before, lost, round: { ...before.round, seen } };
  const { state, messages } = lost.size > 0 ? fail(looked, lostLines(lost), timing) : { state: looked, messages: [] };
  const all = before.known === undefined ? [...messages, ...hiddenMessages(seen)] : messages;
  // A first look that sees nothing is no change.
  const hasChanged = look.hasChanged && (before.known !== undefined || seen.seen.size > 0 || isEarly);
  if (!hasChanged && !isExpiring && !isDue) return succeed({ ...state, known: seen }, all, timing);
  const opening = hasChanged ? { ...state, volatile: new Set<string>() } : state;
  return { state: opening, messages: all, action: { kind: "open" } };
}

function onOpened<Renewal>(before: State, resolved: Resolved<Renewal>, timing: Timing): Step<Renewal> {
  const { round } = before;
  if (resolved.kind !== "ready") {
    const { kind, lines } = resolved;
    return kind === "trouble" ? fail(before, lines, timing) : finish(before, [["warning", lines]], timing);
  }
  const { digests, renewal } = resolved;
  const { first = digests } = round;
  const volatile = new Set([...before.volatile, ...differences(first, digests).all]);
  // At the end of a session a file is replaced under the running program, if it is renewed.
  const isChange = (name: string): boolean => (round.isExpiring ? !digests.renewed.has(name) : !volatile.has(name));
  const { program, brokered, all } = differences(before.digests, digests);
  const state: State = { ...before, volatile };
  if (!all.some(isChange)) {
    return finish(state, [["detail", ["the program would get the same values from ESC"]]], timing);
  }
  if (!round.isExpiring && round.first === undefined) {
    return { state: { ...state, round: { ...round, first: digests } }, messages: [], action: { kind: "open" } };
  }
  const action: Action<Renewal> = program.some(isChange)
    ? { kind: "restart", renewal, names: all.filter(isChange) }
    : { kind: "swap", renewal, names: brokered };
  return { state: { ...state, round: { ...round, next: digests } }, messages: [], action };
}

function differences(before: Digests, after: Digests) {
  const program = changedNames(before.program, after.program);
  const brokered = changedNames(before.brokered, after.brokered);
  return { program, brokered, all: [...new Set([...program, ...brokered])].toSorted() };
}

function finish(before: State, messages: readonly Message[], timing: Timing): Step<never> {
  const { isEarly, isExpiring, isDue, seen = before.known } = before.round;
  // Hidden revisions are asked for again when they are due, however often a service refuses a key.
  const opensAt = isEarly && !isDue ? before.opensAt : timing.now + OPEN_EVERY_MS;
  const expiresAt = isExpiring ? expiry(timing) : before.expiresAt;
  return succeed({ ...before, known: seen, opensAt, expiresAt }, messages, timing);
}

function succeed(state: State, messages: readonly Message[], timing: Timing): Step<never> {
  if (state.lost.size > 0) return pause(state, timing, messages);
  const over: readonly Message[] = state.reported.size > 0 ? [["notice", ["ESC is checked for changes again"]]] : [];
  return pause({ ...state, reported: new Set(), failures: 0 }, timing, [...messages, ...over]);
}

/** Ends a failed round. Reports the same failure once, until a round succeeds. */
function fail(before: State, lines: Lines, timing: Timing): Step<never> {
  const text = lines.join("\n");
  const state = { ...before, failures: before.failures + 1, reported: new Set([...before.reported, text]) };
  return pause(state, timing, before.reported.has(text) ? [] : [["warning", lines]]);
}

function pause(state: State, { now, random, everyMs }: Timing, messages: readonly Message[] = []): Step<never> {
  const grown = Math.min(everyMs * 2 ** Math.min(state.failures, 20), Math.max(everyMs, LONGEST_PAUSE_MS));
  const ms = Math.max(grown, state.pausesUntil - now) * (1 + JITTER * random);
  const left = state.expiresAt - now;
  return { state, messages, action: { kind: "wait", ms: Math.min(ms, left > 0 ? left : LONGEST_TIMER_MS) } };
}

function expiry({ now, random, sessionMs }: Timing): number {
  return now + sessionMs * (RENEWAL.from + (RENEWAL.to - RENEWAL.from) * random);
}

function lostLines(lost: ReadonlyMap<string, number>): Lines {
  const names = Array.from(lost, ([name, status]) => `${printable(name)} (HTTP ${status})`);
  return [
    `warning: ESC no longer lets this token see the revision of ${enumerateFew(names, 3)}`,
    "until it may again, ESC environments are opened every 15 minutes to compare the values",
  ];
}

function hiddenMessages({ hidden }: KnownEnvironments): readonly Message[] {
  if (hidden.size === 0) return [];
  const names = [...hidden].join(", ");
  return [
    ["detail", [`the revision of ${names} is not visible to this token: opened again every 15 minutes to compare`]],
  ];
}
