/** Follows ESC: performs what `rounds.ts` decides. */
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/detect-changes.ts";
import type { Digests } from "./digests.ts";
import {
  begin,
  step,
  type Action,
  type Event,
  type Lines,
  type Message,
  type Resolved,
  type Timing,
} from "./rounds.ts";

export interface Clock extends Record<"now" | "random", () => number> {
  /** Resolves after so long, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Following<Renewal> extends Pick<Timing, "everyMs" | "sessionMs"> {
  readonly digests: Digests;
  readonly look: (before: KnownEnvironments | undefined) => Promise<ChangeReport>;
  readonly resolve: () => Promise<Resolved<Renewal>>;
  /** Restarts the program. @returns the reason if it cannot be restarted */
  readonly restart: (renewal: Renewal, names: readonly string[]) => Promise<Lines | undefined>;
  /** Has the broker use new values. @returns the reason if it cannot */
  readonly swap: (renewal: Renewal, names: readonly string[]) => Lines | undefined;
  readonly report: (...message: Message) => void;
  readonly clock: Clock;
}

export interface Follower {
  /** Ends with the signal. Throws only on bugs. */
  readonly ended: Promise<void>;
  /** Begins a round now, or as soon as the present one has ended. Resolves at its end, or at the signal. */
  readonly lookNow: () => Promise<void>;
}

/** Follows until the signal is aborted. */
export function follow<Renewal>(following: Following<Renewal>, signal: AbortSignal): Follower {
  const { digests, clock, everyMs, sessionMs, report } = following;
  const timing = (): Timing => ({ now: clock.now(), random: clock.random(), everyMs, sessionMs });
  /** Callbacks for the end of this round, and of the next one. */
  let waiting: (() => void)[] = [];
  let forNext: (() => void)[] = [];
  let pause = new AbortController();
  const release = (all: readonly (() => void)[]): void => {
    for (const resolve of all) resolve();
  };
  signal.addEventListener("abort", () => {
    pause.abort();
    release([...waiting, ...forNext]);
  });
  const perform = async (action: Action<Renewal>): Promise<Event<Renewal>> => {
    switch (action.kind) {
      case "wait":
        release(waiting);
        pause = new AbortController();
        if (forNext.length === 0 && !signal.aborted) await clock.wait(action.ms, pause.signal);
        waiting = forNext;
        forNext = [];
        return { kind: "woken", isEarly: waiting.length > 0 };
      case "look":
        return { kind: "looked", look: await following.look(action.before) };
      case "open":
        return { kind: "opened", resolved: await following.resolve() };
      case "restart":
        return { kind: "restarted", refusal: await following.restart(action.renewal, action.names) };
      case "swap":
        return { kind: "swapped", refusal: following.swap(action.renewal, action.names) };
    }
  };
  const go = async (): Promise<void> => {
    for (let { state, messages, action } = begin<Renewal>(digests, timing()); ;) {
      for (const message of messages) report(...message);
      const event = await perform(action);
      if (signal.aborted) return;
      ({ state, messages, action } = step(state, event, timing()));
    }
  };
  return {
    ended: go(),
    lookNow: () =>
      new Promise((resolve) => {
        forNext.push(resolve);
        if (signal.aborted) resolve();
        pause.abort();
      }),
  };
}

/** The least time between two looks that answers of 401 have caused: a wrong key must not become a load for ESC. */
const PAUSE_MS = 10_000;

/**
 * Returns a function to be called for each 401 of a service, which has `look` ask ESC whether keys have changed. All 401s
 * during a look share it, and those soon after it cause none.
 */
export function lookSeldom(look: () => Promise<void>, now: () => number): () => Promise<void> {
  let last = -Infinity;
  let current: Promise<void> | undefined;
  return () => {
    if (current !== undefined) return current;
    if (now() - last < PAUSE_MS) return Promise.resolve();
    last = now();
    // `look` has reported the failure itself; the key stays as it is.
    const running = look().catch(() => {});
    current = running.finally(() => {
      current = undefined;
    });
    return current;
  };
}
