/**
 * A clock for the times at which credentials expire (`--refresh`). It follows the monotonic clock, and jumps ahead if the system's
 * clock does. Neither of the two is enough alone:
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

/** A smaller difference between the clocks is not a jump: NTP adjusts both, and they are read one after the other. */
const MIN_JUMP_MS = 1000;

/** Returns the milliseconds between two readings. The time of sleep is included; setting a clock back has no effect. */
export function computePassedMs(earlier: ClockReading, later: ClockReading): number {
  const monotonicMs = Math.max(0, later.monotonic - earlier.monotonic);
  const systemMs = later.system - earlier.system;
  const hasJumpedAhead = systemMs - monotonicMs > MIN_JUMP_MS;
  return hasJumpedAhead ? systemMs : monotonicMs;
}

export interface SteadyClock {
  /**
   * Returns the milliseconds since the clock was created, never less than before. The caller must read it at least once a minute,
   * so that it notices each sleep.
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
    passedMs += computePassedMs(lastReading, reading);
    lastReading = reading;
    return passedMs;
  };
  return {
    now,
    remainingMs: (time) => {
      // The time that the system's clock would show if it had not been set back since the first reading.
      const steadyTime = firstReading.system + now();
      const steadyRemainingMs = time - steadyTime;
      const systemRemainingMs = time - lastReading.system;
      // If no steady time remains, the system's clock may have been wrong (ahead) at first, and right now. So it decides then.
      return steadyRemainingMs > 0 ? Math.min(steadyRemainingMs, systemRemainingMs) : systemRemainingMs;
    },
  };
}

function readClocks(): ClockReading {
  return { monotonic: performance.now(), system: Date.now() };
}
