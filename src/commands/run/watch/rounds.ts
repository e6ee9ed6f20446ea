/**
 * The rounds in which ESC is followed, as a state and a pure step, without values. A round begins after a pause. It looks
 * at revisions if the token may see them; if something may have changed, it opens the environments; if the program would
 * get something else, it restarts the program.
 */
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import type { ChangeReport, KnownEnvironments } from "../../../esc/api/follow.ts";
import { differing, type Prints } from "./prints.ts";

/** All that the sources give now. */
export type Resolved<Renewal> =
  | { readonly kind: "ready"; readonly prints: Prints; readonly renewal: Renewal }
  /** A source cannot be read, or the contract is not met. */
  | { readonly kind: "trouble" | "unmet"; readonly lines: Lines };

export type Lines = readonly [string, ...string[]];

export interface Timing {
  /** The time of the event, in monotonic milliseconds. */
  readonly now: number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
  /** The polling interval. */
  readonly everyMs: number;
  /** The lifetime of what was opened, and of credentials that providers made for it. */
  readonly sessionMs: number;
}

export interface State {
  /** What the program was started with. */
  readonly prints: Prints;
  /** The names of values that are different on every open: providers make them. */
  readonly volatile: ReadonlySet<string>;
  readonly known: KnownEnvironments | undefined;
  /** Environments that were seen and are refused now. */
  readonly lost: ReadonlyMap<string, number>;
  readonly expiresAt: number;
  readonly opensAt: number;
  /** Rounds in trouble in a row. */
  readonly troubles: number;
  readonly retryAfterMs: number;
  /** The troubles that were reported and are not over. */
  readonly told: ReadonlySet<string>;
  readonly round: Round;
}

interface Round {
  /** The session ends soon: the program gets what providers make again. */
  readonly isExpiring: boolean;
  /** The environments are opened, whatever can be seen. */
  readonly isDue: boolean;
  readonly seen?: KnownEnvironments;
  /** The prints of the first of two openings. */
  readonly first?: Prints;
  /** The prints that the program is being restarted with. */
  readonly next?: Prints;
}

export type Event<Renewal> =
  | { readonly kind: "woken" }
  | { readonly kind: "looked"; readonly look: ChangeReport }
  | { readonly kind: "opened"; readonly resolved: Resolved<Renewal> }
  /** `refusal`: why the program could not be restarted. */
  | { readonly kind: "restarted"; readonly refusal: Lines | undefined };

/** A message: a warning, a notice that `--quiet` drops, or a detail for `--verbose`. */
export type Message = readonly [level: "warning" | "notice" | "detail", lines: Lines];

/** The one thing to do next; its outcome is the next event. */
export type Action<Renewal> =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "look"; readonly before: KnownEnvironments | undefined }
  | { readonly kind: "open" }
  | { readonly kind: "restart"; readonly renewal: Renewal; readonly names: readonly string[] };

export interface Step<Renewal> {
  readonly state: State;
  readonly messages: readonly Message[];
  readonly action: Action<Renewal>;
}

/** Where not every revision can be seen, all is opened again so often, and hidden revisions are asked for again. */
const OPEN_EVERY_MS = 15 * 60_000;
/** With trouble the pauses grow up to this, or to the polling interval if that is longer. */
const LONGEST_PAUSE_MS = 5 * 60_000;
/** The part of its life after which a session is renewed: before what does not live longer than the session ends. */
const RENEWAL = { from: 0.8, to: 0.9 } as const;
/** Pauses are longer by up to this part, so that many launchers do not ask at the same time. */
const JITTER = 0.2;

const IDLE: Round = { isExpiring: false, isDue: false };

/** Returns the state in which the program was just started, and the first pause. */
export function begin(prints: Prints, timing: Timing): Step<never> {
  const state: State = {
    prints,
    volatile: new Set(),
    known: undefined,
    lost: new Map(),
    expiresAt: expiry(timing),
    opensAt: timing.now + OPEN_EVERY_MS,
    troubles: 0,
    retryAfterMs: 0,
    told: new Set(),
    round: IDLE,
  };
  return pause(state, timing);
}

export function step<Renewal>(state: State, event: Event<Renewal>, timing: Timing): Step<Renewal> {
  switch (event.kind) {
    case "woken":
      return wake(state, timing);
    case "looked":
      return takeLook(state, event.look, timing);
    case "opened":
      return takeResolved(state, event.resolved, timing);
    case "restarted": {
      const { next = state.prints } = state.round;
      const restarted = { ...state, expiresAt: expiry(timing) };
      if (event.refusal === undefined) return finish({ ...restarted, prints: next }, [], timing);
      return finish(restarted, [["warning", event.refusal]], timing);
    }
  }
}

function wake(before: State, timing: Timing): Step<never> {
  const { known, lost } = before;
  const isExpiring = timing.now >= before.expiresAt;
  const isDue = timing.now >= before.opensAt && known !== undefined && known.hidden.size + lost.size > 0;
  const state: State = { ...before, retryAfterMs: 0, round: { isExpiring, isDue } };
  if (known === undefined || known.seen.size > 0 || isDue) {
    // One refusal need not be the last: what is hidden is asked for again.
    const asked = known !== undefined && isDue ? { ...known, hidden: new Set<string>() } : known;
    return { state, messages: [], action: { kind: "look", before: asked } };
  }
  return isExpiring ? { state, messages: [], action: { kind: "open" } } : pause(state, timing);
}

function takeLook(before: State, look: ChangeReport, timing: Timing): Step<never> {
  const { isExpiring, isDue } = before.round;
  if (look.kind !== "seen") {
    const failed = { ...before, retryAfterMs: look.retryAfterMs ?? 0 };
    const { message } = look.failure;
    return complain(failed, [`warning: ESC cannot be followed: ${message}; the program runs on`], timing);
  }
  const { known: seen, lost } = look;
  const looked: State = { ...before, lost, round: { ...before.round, seen } };
  const { state, messages } =
    lost.size > 0 ? complain(looked, lostLines(lost), timing) : { state: looked, messages: [] };
  const told = before.known === undefined ? [...messages, ...hiddenMessages(seen)] : messages;
  // Not where nothing can be seen: what has changed since the start is found when it is opened.
  const hasChanged = look.hasChanged && (before.known !== undefined || seen.seen.size > 0);
  if (!hasChanged && !isExpiring && !isDue) return relax({ ...state, known: seen }, told, timing);
  const opening = hasChanged ? { ...state, volatile: new Set<string>() } : state;
  return { state: opening, messages: told, action: { kind: "open" } };
}

function takeResolved<Renewal>(before: State, resolved: Resolved<Renewal>, timing: Timing): Step<Renewal> {
  const { round } = before;
  if (resolved.kind !== "ready") {
    const { kind, lines } = resolved;
    return kind === "trouble" ? complain(before, lines, timing) : finish(before, [["warning", lines]], timing);
  }
  const { prints, renewal } = resolved;
  // What providers make is different each time: no reason for a restart. A second opening tells.
  const volatile = new Set([...before.volatile, ...(round.first === undefined ? [] : differing(round.first, prints))]);
  const names = differing(before.prints, prints).filter((name) => round.isExpiring || !volatile.has(name));
  const state: State = { ...before, volatile };
  if (names.length === 0) {
    return finish(state, [["detail", ["what ESC gives the program is the same"]]], timing);
  }
  if (!round.isExpiring && round.first === undefined) {
    return { state: { ...state, round: { ...round, first: prints } }, messages: [], action: { kind: "open" } };
  }
  const action: Action<Renewal> = { kind: "restart", renewal, names };
  return { state: { ...state, round: { ...round, next: prints } }, messages: [], action };
}

/** Ends a round in which all is as it must be, or has been asked for. */
function finish(before: State, messages: readonly Message[], timing: Timing): Step<never> {
  const { isExpiring, seen = before.known } = before.round;
  const opensAt = timing.now + OPEN_EVERY_MS;
  const expiresAt = isExpiring ? expiry(timing) : before.expiresAt;
  return relax({ ...before, known: seen, opensAt, expiresAt }, messages, timing);
}

function relax(state: State, messages: readonly Message[], timing: Timing): Step<never> {
  if (state.lost.size > 0) return pause(state, timing, messages);
  const over: readonly Message[] = state.told.size > 0 ? [["notice", ["ESC is followed again"]]] : [];
  return pause({ ...state, told: new Set(), troubles: 0 }, timing, [...messages, ...over]);
}

/** Reports a trouble, once until it is over. */
function complain(before: State, lines: Lines, timing: Timing): Step<never> {
  const text = lines.join("\n");
  const state = { ...before, troubles: before.troubles + 1, told: new Set([...before.told, text]) };
  return pause(state, timing, before.told.has(text) ? [] : [["warning", lines]]);
}

function pause(state: State, { now, random, everyMs }: Timing, messages: readonly Message[] = []): Step<never> {
  const grown = Math.min(everyMs * 2 ** Math.min(state.troubles, 20), Math.max(everyMs, LONGEST_PAUSE_MS));
  const ms = Math.max(grown, state.retryAfterMs) * (1 + JITTER * random);
  const left = state.expiresAt - now;
  return { state, messages, action: { kind: "wait", ms: left > 0 ? Math.min(ms, left) : ms } };
}

function expiry({ now, random, sessionMs }: Timing): number {
  return now + sessionMs * (RENEWAL.from + (RENEWAL.to - RENEWAL.from) * random);
}

function lostLines(lost: ReadonlyMap<string, number>): Lines {
  const names = Array.from(lost, ([name, status]) => `${printable(name)} (HTTP ${status})`);
  return [
    `warning: ESC no longer lets this token see the revision of ${enumerateFew(names, 3)}`,
    "until it does, ESC is opened every 15 minutes to compare",
  ];
}

function hiddenMessages({ hidden }: KnownEnvironments): readonly Message[] {
  if (hidden.size === 0) return [];
  const names = [...hidden].join(", ");
  return [
    ["detail", [`the revision of ${names} is not visible to this token: opened again every 15 minutes to compare`]],
  ];
}
