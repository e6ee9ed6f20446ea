import { setMaxListeners } from "node:events";
import { NetworkError } from "./network-fault.ts";

/** Time, so that tests need not wait for it. */
export interface Timer {
  /** Acts after that many milliseconds, unless the returned function is called before. */
  limit(ms: number, act: () => void): () => void;
  /** The limit of a step: connecting, and the first byte of an answer, in milliseconds. */
  readonly stepMs: number;
}

export function afterTime(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

export interface Step {
  readonly signal: AbortSignal;
  /** Returns the fault if its own limit ended it, and not that of the whole. */
  readonly fault: (phase: string, unreached: boolean) => NetworkError | undefined;
  readonly done: () => void;
}

/** The time for requests, and for single steps of them. */
export class TimeLimit {
  readonly #abort = new AbortController();
  readonly signal = this.#abort.signal;
  readonly ms: number;
  readonly #callOff: () => void;
  readonly #timer: Timer;

  constructor(ms: number, timer: Timer) {
    this.ms = ms;
    this.#timer = timer;
    this.#callOff = timer.limit(ms, () => this.#abort.abort());
    // Each request listens; Node reports more than ten listeners as a leak.
    setMaxListeners(0, this.signal);
  }

  /** Begins a step. The caller must call `done`. */
  step(): Step {
    const abort = new AbortController();
    const end = (): void => abort.abort();
    const { signal } = this;
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    const limitMs = this.#timer.stepMs;
    const callOff = this.#timer.limit(limitMs, end);
    return {
      signal: abort.signal,
      fault: (phase, unreached) =>
        abort.signal.aborted && !signal.aborted
          ? new NetworkError({ kind: "slow", limitMs, phase, unreached })
          : undefined,
      done: () => {
        callOff();
        signal.removeEventListener("abort", end);
      },
    };
  }

  abandon(): void {
    this.#callOff();
    this.#abort.abort();
  }
}
