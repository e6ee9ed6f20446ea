import { EscFault } from "../faults/esc-fault.ts";
import { afterTime, TimeLimit, type Timer } from "../../network/limit.ts";

/** Time and chance, so that tests need not wait for either. */
export interface Clock extends Timer {
  /** Monotonic milliseconds. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** As `limit`, for a wait without other work. */
  pause(ms: number, act: () => void): () => void;
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

/** The time for all requests to ESC together, and for each pause between them. */
export class Deadline extends TimeLimit {
  readonly #clock: Clock;
  readonly #end: number;

  constructor(timeoutMs: number, clock: Clock) {
    super(timeoutMs, clock);
    this.#clock = clock;
    this.#end = clock.now() + timeoutMs;
  }

  remainingMs(): number {
    return Math.max(0, this.#end - this.#clock.now());
  }

  fault(phase: string): EscFault {
    return new EscFault({ kind: "timeout", timeoutMs: this.ms, phase });
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
