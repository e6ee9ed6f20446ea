/**
 * The clock by which credentials expire. It follows the monotonic clock, and jumps ahead with the system's clock. Neither of the two
 * is enough:
 *
 * - The system's clock may be set back. Then credentials would seem to live longer, and would not be renewed in time.
 * - The monotonic clock stops on Linux while the machine sleeps. Credentials expire in that time.
 */

/** Both clocks at the same moment, in milliseconds. */
export interface ClockReading {
  /** The time since any fixed moment. It cannot be set. */
  readonly monotonic: number;
  /** The time since 1970. It may be set. */
  readonly system: number;
}

/** A smaller jump of the system's clock is an adjustment, which the monotonic clock follows as well. */
const MIN_JUMP_MS = 1000;

/** Returns the milliseconds between two readings. The time of sleep is included; setting a clock back has no effect. */
export function passedBetween(earlier: ClockReading, later: ClockReading): number {
  const monotonicMs = Math.max(0, later.monotonic - earlier.monotonic);
  const systemMs = later.system - earlier.system;
  const hasJumpedAhead = systemMs - monotonicMs > MIN_JUMP_MS;
  return hasJumpedAhead ? systemMs : monotonicMs;
}

export interface SteadyClock {
  /**
   * Returns the milliseconds since the clock was created, never less than before. The caller must read it at least once a minute, so
   * that it notices each sleep.
   */
  readonly now: () => number;
  /** Returns the milliseconds until a time of the system's clock; zero or less if that time is over. */
  readonly remainingMs: (time: number) => number;
}

/** Creates a clock that begins at zero. @param read reads both clocks of the system */
export function createSteadyClock(read: () => ClockReading = readClocks): SteadyClock {
  const firstReading = read();
  let lastReading = firstReading;
  let passedMs = 0;
  const now = (): number => {
    const reading = read();
    passedMs += passedBetween(lastReading, reading);
    lastReading = reading;
    return passedMs;
  };
  return {
    now,
    remainingMs: (time) => {
      // The system's clock may have been set back, so that too much time seems to remain. Its own time would then be this one:
      const steadyTime = firstReading.system + now();
      const steadyRemainingMs = time - steadyTime;
      const systemRemainingMs = time - lastReading.system;
      // If it was ahead at first and is right now, the time seems to be over by the steady time. Then only the system's clock is right.
      return steadyRemainingMs > 0 ? Math.min(steadyRemainingMs, systemRemainingMs) : systemRemainingMs;
    },
  };
}

function readClocks(): ClockReading {
  return { monotonic: performance.now(), system: Date.now() };
}
