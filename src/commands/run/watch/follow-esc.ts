/**
 * Follows ESC while the program runs: performs the actions that `rounds.ts` decides, and reports their results back to it.
 *
 *     const follower = follow({ digests, look, reopen, restart, swap, … }, signal);
 *     await follower.lookNow();      // a service has refused a key
 *     await follower.ended;          // after the signal
 */
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/detect-changes.ts";
import type { Digests } from "./digests.ts";
import {
  beginRounds,
  nextStep,
  type Lines,
  type NewValues,
  type RoundAction,
  type RoundEvent,
  type RoundMessage,
  type RoundTiming,
} from "./rounds.ts";

export interface Clock extends Record<"now" | "random", () => number> {
  /** Resolves after this time, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The actions of the rounds, as the caller performs them. */
export interface FollowedActions<Renewal> extends Pick<RoundTiming, "everyMs" | "sessionMs"> {
  /** The digests of the values that the program got. */
  readonly digests: Digests;
  /** Looks at the revisions of the environments. */
  readonly look: (before: KnownEnvironments | undefined) => Promise<ChangeReport>;
  /** Reads all sources again. */
  readonly reopen: () => Promise<NewValues<Renewal>>;
  /** Restarts the program. @returns the reason if it cannot be restarted */
  readonly restart: (renewal: Renewal, names: readonly string[]) => Promise<Lines | undefined>;
  /** Makes the broker use new values. @returns the reason if it cannot */
  readonly swap: (renewal: Renewal, names: readonly string[]) => Lines | undefined;
  readonly report: (...message: RoundMessage) => void;
  readonly clock: Clock;
}

export interface Follower {
  /** Resolves after the signal. Rejects only because of a bug. */
  readonly ended: Promise<void>;
  /** Begins a round now, or as soon as the present one has ended. Resolves when that round ends, or at the signal. */
  readonly lookNow: () => Promise<void>;
}

/** Follows until the signal is aborted. */
export function follow<Renewal>(actions: FollowedActions<Renewal>, signal: AbortSignal): Follower {
  const { digests, clock, everyMs, sessionMs, report } = actions;
  const pause = new Pause(clock, signal);
  const timing = (): RoundTiming => ({ now: clock.now(), random: clock.random(), everyMs, sessionMs });
  const perform = async (action: RoundAction<Renewal>): Promise<RoundEvent<Renewal>> => {
    switch (action.kind) {
      case "wait":
        return { kind: "woken", isEarly: await pause.wait(action.ms) };
      case "look":
        return { kind: "looked", look: await actions.look(action.before) };
      case "open":
        return { kind: "opened", values: await actions.reopen() };
      case "restart":
        return { kind: "restarted", refusal: await actions.restart(action.renewal, action.names) };
      case "swap":
        return { kind: "swapped", refusal: actions.swap(action.renewal, action.names) };
    }
  };
  const runRounds = async (): Promise<void> => {
    for (let { state, messages, action } = beginRounds<Renewal>(digests, timing()); ;) {
      for (const message of messages) report(...message);
      const event = await perform(action);
      if (signal.aborted) return;
      ({ state, messages, action } = nextStep(state, event, timing()));
    }
  };
  return { ended: runRounds(), lookNow: () => pause.cutShort() };
}

/** The pause between two rounds, which a caller may cut short. Such callers wait for the end of the round that follows. */
class Pause {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** The callers that wait for the end of the present round. */
  #roundWaiters: readonly (() => void)[] = [];
  /** The callers that wait for the end of the next round. */
  #nextRoundWaiters: readonly (() => void)[] = [];
  #timer = new AbortController();

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", () => {
      this.#timer.abort();
      for (const release of [...this.#roundWaiters, ...this.#nextRoundWaiters]) release();
    });
  }

  /** Ends a round, waits, and begins the next one. @returns true if the pause was cut short */
  async wait(ms: number): Promise<boolean> {
    for (const release of this.#roundWaiters) release();
    this.#timer = new AbortController();
    const isWanted = this.#nextRoundWaiters.length > 0;
    if (!isWanted && !this.#signal.aborted) await this.#clock.wait(ms, this.#timer.signal);
    this.#roundWaiters = this.#nextRoundWaiters;
    this.#nextRoundWaiters = [];
    return this.#roundWaiters.length > 0;
  }

  /** Ends the present pause, or omits the next one. @returns resolves when the round after that ends, or at the signal */
  cutShort(): Promise<void> {
    return new Promise((resolve) => {
      this.#nextRoundWaiters = [...this.#nextRoundWaiters, resolve];
      if (this.#signal.aborted) resolve();
      this.#timer.abort();
    });
  }
}

/** The shortest time between two looks because of 401. With a wrong key, a program may cause any number of these answers. */
const MIN_LOOK_INTERVAL_MS = 10_000;

/**
 * Returns a function for the caller to call whenever a service answers 401. It calls `look`, which asks ESC whether keys have
 * changed. All answers during a look share it, and those within ten seconds of its beginning cause no other one.
 */
export function limitLooks(look: () => Promise<void>, now: () => number): () => Promise<void> {
  let lastLookAt = -Infinity;
  let currentLook: Promise<void> | undefined;
  return () => {
    if (currentLook !== undefined) return currentLook;
    if (now() - lastLookAt < MIN_LOOK_INTERVAL_MS) return Promise.resolve();
    lastLookAt = now();
    // `look` has reported its failure itself. The program gets the 401, and the broker keeps the key.
    const running = look().catch(() => {});
    currentLook = running.finally(() => {
      currentLook = undefined;
    });
    return currentLook;
  };
}
