/** The deadline for all requests to Pulumi ESC together (`--timeout`), and the clock that measures it. */
import { EscFault } from "../faults/esc-fault.ts";
import { afterTime, TimeLimit, type Timer } from "../../network/limit.ts";

/** The source of time and of random numbers. Tests replace it, so that they need not wait. */
export interface Clock extends Timer {
  /** Returns monotonic milliseconds. */
  now(): number;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** Calls `act` after `ms` milliseconds, like `limit`. The time is a pause between requests, which a test may skip. */
  pause(ms: number, act: () => void): () => void;
}

/** The clock of a real run. */
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

/** The time limit of all requests to ESC together, including the pauses between them. */
export class Deadline extends TimeLimit {
  readonly #clock: Clock;
  readonly #endMs: number;

  constructor(timeoutMs: number, clock: Clock) {
    super(timeoutMs, clock);
    this.#clock = clock;
    this.#endMs = clock.now() + timeoutMs;
  }

  /** Returns the milliseconds until the deadline; 0 if it has passed. */
  remainingMs(): number {
    return Math.max(0, this.#endMs - this.#clock.now());
  }

  /** Returns the fault of a request that the deadline ended. @param phase completes "timed out while …" */
  fault(phase: string): EscFault {
    return new EscFault({ kind: "timeout", timeoutMs: this.ms, phase });
  }

  /**
   * Waits for `ms` milliseconds.
   *
   * @param phase completes "timed out while …"
   * @throws EscFault (timeout) if the deadline passes first
   */
  sleep(ms: number, phase: string): Promise<void> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        cancelPause();
        reject(this.fault(phase));
      };
      const cancelPause = this.#clock.pause(ms, () => {
        signal.removeEventListener("abort", fail);
        resolve();
      });
      if (signal.aborted) fail();
      else signal.addEventListener("abort", fail, { once: true });
    });
  }
}
