import { setMaxListeners } from "node:events";
import { EscFault } from "../faults/fault.ts";

/** Time and chance, so that tests need not wait for either. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** Acts after that many milliseconds, unless the returned function is called before. Limits other work. */
  limit(ms: number, act: () => void): () => void;
  /** The same for a wait without other work. */
  pause(ms: number, act: () => void): () => void;
  /** The limit of connecting, and of the first byte of a read, in milliseconds. */
  readonly stepMs: number;
}

function afterTime(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

export const systemClock: Clock = {
  now: () => {
    // The global `performance` takes 0.9 ms to load.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1_000_000;
  },
  random: Math.random,
  limit: afterTime,
  pause: afterTime,
  stepMs: 5000,
};

export interface Step {
  readonly signal: AbortSignal;
  /** Returns the fault if its own limit ended it, and not the deadline. */
  readonly fault: (phase: string, unreached: boolean) => EscFault | undefined;
  readonly done: () => void;
}

export class Deadline {
  readonly #abort = new AbortController();
  readonly signal = this.#abort.signal;
  readonly #callOff: () => void;
  readonly #clock: Clock;
  readonly #end: number;
  readonly #timeoutMs: number;

  constructor(timeoutMs: number, clock: Clock) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#end = clock.now() + timeoutMs;
    this.#callOff = clock.limit(timeoutMs, () => this.#abort.abort());
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
    const limitMs = this.#clock.stepMs;
    const callOff = this.#clock.limit(limitMs, end);
    return {
      signal: abort.signal,
      fault: (phase, unreached) =>
        abort.signal.aborted && !signal.aborted ? new EscFault({ kind: "slow", limitMs, phase, unreached }) : undefined,
      done: () => {
        callOff();
        signal.removeEventListener("abort", end);
      },
    };
  }

  remainingMs(): number {
    return Math.max(0, this.#end - this.#clock.now());
  }

  fault(phase: string): EscFault {
    return new EscFault({ kind: "timeout", timeoutMs: this.#timeoutMs, phase });
  }

  abandon(): void {
    this.#callOff();
    this.#abort.abort();
  }

  sleep(ms: number, phase: string): Promise<void> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        callOff();
        reject(this.fault(phase));
      };
      const callOff = this.#clock.pause(ms, () => {
        signal.removeEventListener("abort", end);
        resolve();
      });
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }
}
