import { setMaxListeners } from "node:events";
import { EscFault, type Fault } from "../faults/fault.ts";

/** Time and chance, so that tests need not wait for either. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

export const systemClock: Clock = {
  now: () => {
    // The global `performance` would load a dozen modules first.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1_000_000;
  },
  random: Math.random,
};

/** The one deadline over all that is asked of ESC; also ends when the caller wants no answer any more. */
export class Deadline {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal;
  readonly #interrupt: () => void;
  readonly #clock: Clock;
  readonly #end: number;
  readonly #timeoutMs: number;
  #expired = false;

  constructor(timeoutMs: number, outer: AbortSignal, clock: Clock = systemClock) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#outer = outer;
    this.#end = clock.now() + timeoutMs;
    this.#timer = setTimeout(() => {
      this.#expired = true;
      this.#abort.abort();
    }, timeoutMs);
    // Each request of each environment listens; Node would take more than ten for a leak and say so.
    setMaxListeners(0, this.#abort.signal);
    this.#interrupt = () => this.#abort.abort();
    if (outer.aborted) this.#abort.abort();
    outer.addEventListener("abort", this.#interrupt, { once: true });
  }

  /** Aborted when there is no point in going on. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remainingMs(): number {
    return Math.max(0, this.#end - this.#clock.now());
  }

  /** Why the signal was aborted. */
  fault(phase: string): EscFault {
    const fault: Fault = this.#expired
      ? { kind: "timeout", timeoutMs: this.#timeoutMs, phase }
      : { kind: "interrupted" };
    return new EscFault(fault);
  }

  /** Gives up: one of several environments has failed. */
  abandon(): void {
    this.#abort.abort();
  }

  /** @throws EscFault when the deadline comes first */
  async sleep(ms: number, phase: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.race(new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), phase);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The outcome of a promise that cannot be cancelled itself. @throws EscFault when the deadline comes first */
  async race<T>(promise: Promise<T>, phase: string): Promise<T> {
    const { signal } = this;
    if (signal.aborted) {
      promise.catch(() => {});
      throw this.fault(phase);
    }
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(this.fault(phase));
      signal.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      if (stop !== undefined) signal.removeEventListener("abort", stop);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#interrupt);
  }
}
