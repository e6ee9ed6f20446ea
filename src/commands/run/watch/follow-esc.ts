/**
 * The loop of `--watch`: rounds.ts decides the next action, such as to look for changes in Pulumi ESC or to restart the program; this
 * file calls the caller's function for the action, and passes the result to rounds.ts.
 *
 *     const follower = followEsc({ digests, look, reopen, restart, swap, … }, signal);
 *     await follower.lookNow();      // after a service has refused a key
 *     await follower.stopped;        // after the signal is aborted
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

/** The time and the random numbers of the rounds. Tests replace them. */
export interface Clock extends Record<"now" | "random", () => number> {
  /** Resolves after this time, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The caller's functions for the actions of rounds, and the times of rounds. */
export interface FollowedActions<Renewal> extends Pick<RoundTiming, "pollingIntervalMs" | "sessionMs"> {
  /** The digests of the values that the program got at its start. */
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
  /** Resolves once the loop has stopped because the signal was aborted. Rejects only because of a bug. */
  readonly stopped: Promise<void>;
  /** Begins a round now, or as soon as the present round has ended. Resolves when that round ends, or when the signal is aborted. */
  readonly lookNow: () => Promise<void>;
}

/** Begins the loop, which runs until the signal is aborted. */
export function followEsc<Renewal>(actions: FollowedActions<Renewal>, signal: AbortSignal): Follower {
  const { digests, clock, pollingIntervalMs, sessionMs, report } = actions;
  const pause = new Pause(clock, signal);
  const timing = (): RoundTiming => ({ now: clock.now(), random: clock.random(), pollingIntervalMs, sessionMs });
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
  return { stopped: runRounds(), lookNow: () => pause.cutShort() };
}

/**
 * The pauses between rounds. A caller of `cutShort` ends a pause early, and waits for the end of the round that follows. If a round
 * is under way, it may already have looked at ESC, so the caller waits for the end of the next round.
 */
class Pause {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Functions that resolve the promises of the callers who wait for the end of the present round. */
  #roundWaiters: readonly (() => void)[] = [];
  /** The same for the callers who wait for the end of the next round. */
  #nextRoundWaiters: readonly (() => void)[] = [];
  /** Aborted to end the present pause. */
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
    // `cutShort` was called during the round, when there was no pause that it could end.
    const isRoundRequested = this.#nextRoundWaiters.length > 0;
    if (!isRoundRequested && !this.#signal.aborted) await this.#clock.wait(ms, this.#timer.signal);
    this.#roundWaiters = this.#nextRoundWaiters;
    this.#nextRoundWaiters = [];
    return this.#roundWaiters.length > 0;
  }

  /** Ends the present pause, or omits the next one. Resolves when the round after the pause ends, or when the signal is aborted. */
  cutShort(): Promise<void> {
    return new Promise((resolve) => {
      this.#nextRoundWaiters = [...this.#nextRoundWaiters, resolve];
      if (this.#signal.aborted) resolve();
      this.#timer.abort();
    });
  }
}

/** The shortest time between two looks because of HTTP 401. With a wrong key, a program may cause any number of these answers. */
const MIN_LOOK_INTERVAL_MS = 10_000;

/**
 * Returns a function that the broker calls whenever a service answers HTTP 401. The function calls `look`, which asks ESC whether
 * keys have changed, and resolves when the look has ended. Answers during a look wait for the same look. Answers within ten seconds
 * of the beginning of a look cause no further look.
 */
export function limitLooks(look: () => Promise<void>, now: () => number): () => Promise<void> {
  let lastLookAt = -Infinity;
  let currentLook: Promise<void> | undefined;
  return () => {
    if (currentLook !== undefined) return currentLook;
    if (now() - lastLookAt < MIN_LOOK_INTERVAL_MS) return Promise.resolve();
    lastLookAt = now();
    // A look that fails has already reported the failure. The program gets the answer 401, and the broker keeps the key.
    const running = look().catch(() => {});
    currentLook = running.finally(() => {
      currentLook = undefined;
    });
    return currentLook;
  };
}
