/**
 * Time limits of the HTTP client (http.ts): one for all requests of a client together, and one for each step of a request,
 * such as connecting. A step that is too slow may be retried. If the limit for all requests passes, the client gives up.
 */
import { setMaxListeners } from "node:events";
import { NetworkError } from "./network-fault.ts";

/** Sets time limits. Tests replace it, so that they need not wait. */
export interface Timer {
  /** Calls `onTimeout` after `ms` milliseconds. @returns the function that prevents the call */
  limit(ms: number, onTimeout: () => void): () => void;
  /** The time limit in milliseconds for one step, which is connecting, or waiting for the first byte of an answer. */
  readonly stepMs: number;
}

/** Calls `onTimeout` after `ms` milliseconds of real time. @returns the function that prevents the call */
export function afterTime(ms: number, onTimeout: () => void): () => void {
  const timer = setTimeout(onTimeout, ms);
  return () => clearTimeout(timer);
}

/** A step of a request that is in progress. Its signal is aborted if the step's limit or the limit for all requests passes. */
export interface Step {
  readonly signal: AbortSignal;
  /**
   * Returns an error if the step's own limit has passed. Returns undefined if no limit has passed, and also if the limit for all
   * requests has passed.
   *
   * @param phase what the step did, for messages @param unreached true if no connection to the host has ever succeeded
   */
  readonly fault: (phase: string, unreached: boolean) => NetworkError | undefined;
  /** Ends the step, so that its limit no longer applies. */
  readonly done: () => void;
}

/** A time limit for several requests together. Its signal is aborted when the time is over, or when it is abandoned. */
export class TimeLimit {
  readonly #abort = new AbortController();
  readonly signal = this.#abort.signal;
  readonly ms: number;
  readonly #cancelTimer: () => void;
  readonly #timer: Timer;

  constructor(ms: number, timer: Timer) {
    this.ms = ms;
    this.#timer = timer;
    this.#cancelTimer = timer.limit(ms, () => this.#abort.abort());
    // Each request listens to the signal. Node.js would report more than ten listeners as a leak.
    setMaxListeners(0, this.signal);
  }

  /** Begins a step. The caller must call `done` of the result, also if the step has failed. */
  step(): Step {
    const stepAbort = new AbortController();
    const abortStep = (): void => stepAbort.abort();
    const { signal } = this;
    if (signal.aborted) abortStep();
    signal.addEventListener("abort", abortStep);
    const limitMs = this.#timer.stepMs;
    const cancelTimer = this.#timer.limit(limitMs, abortStep);
    return {
      signal: stepAbort.signal,
      fault: (phase, unreached) =>
        stepAbort.signal.aborted && !signal.aborted
          ? new NetworkError({ kind: "slow", limitMs, phase, unreached })
          : undefined,
      done: () => {
        cancelTimer();
        signal.removeEventListener("abort", abortStep);
      },
    };
  }

  /** Ends the requests that are still running, and stops the timer, which would keep the process running. */
  abandon(): void {
    this.#cancelTimer();
    this.#abort.abort();
  }
}
